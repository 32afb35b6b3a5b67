// The webcam: a stream into a <video>, single frames out of it.

export class Camera {
  #stream = null;

  constructor(video) {
    this.video = video;
  }

  // Throws an Error whose message is a sentence for a person.
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("This browser gives the webcam only to pages of this machine (http://localhost) or over https.");
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      throw new Error(reason(error), { cause: error });
    }
    this.video.srcObject = this.#stream;
    await this.video.play();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.video.srcObject = null;
  }

  // Return the frame of this moment as a JPEG, its long side at most `side` pixels.
  // Throws an Error, with a sentence for a person, where the webcam has gone.
  async frame(side = Infinity) {
    // The video would show its last picture for ever.
    if (this.#stream?.getVideoTracks().some((track) => track.readyState === "ended")) {
      throw new Error("The webcam has stopped: plug it in or allow it, then try again.");
    }
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  }
}

function reason(error) {
  if (error.name === "NotAllowedError") return "The browser did not allow the webcam: allow it for this page, then try again.";
  if (error.name === "NotFoundError") return "There is no webcam on this machine.";
  if (error.name === "NotReadableError") return "Another program uses the webcam: close it, then try again.";
  return `The webcam cannot be used (${error.name}).`;
}
