// Where the network looked: a grey map from the server, coloured as the command line colours it.

// Nine anchors of matplotlib's "inferno" (CC0), those of picture.py.
const ANCHORS = [
  [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
  [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164],
];
const STRONGEST = 0.75; // opacity where the map is 1

// For each grey value its colour and opacity.
const TABLE = Array.from({ length: 256 }, (_, grey) => {
  const strength = grey / 255;
  const at = strength * (ANCHORS.length - 1);
  const low = Math.min(Math.floor(at), ANCHORS.length - 2);
  const mix = ANCHORS[low].map((value, c) => value + (at - low) * (ANCHORS[low + 1][c] - value));
  return [...mix, 255 * STRONGEST * strength ** 0.7];
});

// Paint a map (a data URL) onto a canvas, in the map's own size; CSS stretches it.
export async function paint(canvas, url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data.set(TABLE[pixels.data[i]], i);
  }
  pen.putImageData(pixels, 0, 0);
}
