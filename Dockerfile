# Pin the base by digest where builds have to be repeatable.
FROM rust:1.95.0-alpine AS build
WORKDIR /src
COPY . .
# The target of this image links statically; without rust-toolchain.toml nothing is fetched but dependencies.
RUN cargo build --locked --profile dist --bin palisade && mkdir /work

FROM scratch
COPY --from=build /src/target/dist/palisade /palisade
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /work /work
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/palisade"]
