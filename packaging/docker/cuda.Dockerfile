# The programs of GSG for NVIDIA GPUs: docker build -f packaging/docker/cuda.Dockerfile .
# Its CUDA libraries are those that torch requires; the driver's are the machine's
# (docker run --gpus all). See packaging/README.md.

FROM debian:12 AS build
COPY bazelw /gsg/
# Installs Bazel and what else the build needs.
RUN /gsg/bazelw version
COPY . /gsg/
WORKDIR /gsg
RUN ./bazelw build --config=cuda //bindings:wheel //bindings:train_wheel && \
    mkdir /wheels && \
    cp bazel-bin/bindings/*.whl /wheels/

FROM python:3.11-slim
LABEL org.opencontainers.image.title="gsg" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PIP_ROOT_USER_ACTION=ignore
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-compile \
        numpy==2.2.6 torch==2.11.0 /wheels/*.whl && \
    pip check && \
    gsg --version
# What NVIDIA's container runtime mounts of the driver.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN useradd gsg && \
    install -d -o gsg /data
USER gsg
WORKDIR /data
ENTRYPOINT ["gsg"]
CMD ["--help"]
