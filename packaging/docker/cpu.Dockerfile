# The programs of GSG for a CPU: docker build -f packaging/docker/cpu.Dockerfile .
# See packaging/README.md.

FROM debian:12 AS build
COPY bazelw /gsg/
# Installs Bazel and what else the build needs.
RUN /gsg/bazelw version
COPY . /gsg/
WORKDIR /gsg
RUN ./bazelw build //bindings:wheel //bindings:train_wheel && \
    mkdir /wheels && \
    cp bazel-bin/bindings/*.whl /wheels/

FROM python:3.11-slim
LABEL org.opencontainers.image.title="gsg" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PIP_ROOT_USER_ACTION=ignore
# Of torch the programs need libtorch_cpu.so, and that what it is linked to. Of all
# else its wheel has, and requires, the CUDA libraries alone have some gigabytes.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps --no-compile \
        numpy==2.2.6 torch==2.11.0 \
        nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96 \
        /wheels/*.whl && \
    cd "$(python3 -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" && \
    find torch nvidia -type f ! -path torch/__init__.py \
        ! -name libc10.so ! -name libgomp.so.1 ! -name libtorch_cpu.so \
        ! -name libcudart.so.13 ! -name libcupti.so.13 -delete && \
    find torch nvidia -type d -empty -delete && \
    gsg --version
RUN useradd gsg && \
    install -d -o gsg /data
USER gsg
WORKDIR /data
ENTRYPOINT ["gsg"]
CMD ["--help"]
