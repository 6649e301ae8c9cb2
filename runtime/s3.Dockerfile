# The local S3 server. It accepts any login, so Compose publishes none of its ports.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_NO_PROGRESS=1
COPY runtime/requirements-uv.txt runtime/requirements-s3.txt /build/
RUN pip install --quiet --no-cache-dir --require-hashes --no-deps --root-user-action=ignore -r /build/requirements-uv.txt
RUN uv venv --quiet --python python3 /opt/venvs/s3 \
 && uv pip install --quiet --python /opt/venvs/s3 --require-hashes --no-deps -r /build/requirements-s3.txt

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 goldworks \
 && useradd --uid 10001 --gid goldworks --home-dir /var/lib/goldworks --shell /bin/bash goldworks \
 && install -d -o goldworks -g goldworks /var/lib/goldworks/s3
COPY --from=build /opt/venvs /opt/venvs
COPY runtime/bucket.py /opt/goldworks/bucket.py
ENV PYTHONUNBUFFERED=1 PATH=/opt/venvs/s3/bin:$PATH
USER goldworks
CMD ["ministack"]
