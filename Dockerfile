# dogmood in a container.  Both commands:
#   docker build --tag dogmood .
#   docker run --rm --publish 127.0.0.1:8000:8000 --env DOGMOOD_TOKEN=some-long-secret dogmood
#   docker run --rm --no-healthcheck --volume "$PWD:/photos:ro" dogmood read rex.jpg
# Videos too: --build-arg EXTRAS="web video".
ARG BASE=python:3.13.17-slim-trixie

FROM ${BASE} AS build
ARG EXTRAS="web"
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements requirements
# Only wheels whose hashes are known: nothing is compiled, and no code of a package runs here.
RUN python -m venv --without-pip /opt/dogmood \
 && for lock in run ${EXTRAS}; do \
      pip --python /opt/dogmood/bin/python install --require-hashes --only-binary :all: \
        --requirement "requirements/${lock}.lock" || exit 1; \
    done \
 && pip install --require-hashes --only-binary :all: --requirement requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/dogmood/bin/python install --no-deps dist/*.whl

FROM ${BASE}
COPY --from=build /opt/dogmood /opt/dogmood
ENV PATH=/opt/dogmood/bin:${PATH} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Where photos are mounted; what belongs to nobody cannot be written by the program.
WORKDIR /photos
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v1/health', timeout=4)"]
ENTRYPOINT ["dogmood"]
# Other machines can reach a container's address, so that serving asks for DOGMOOD_TOKEN.
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--no-open"]
