# The program on an empty base: a static binary and the CA certificates it needs to reach 1688, run by a user without rights.
# Another build image with Go and CA certificates in it can be named: --build-arg BUILD_IMAGE=…
ARG BUILD_IMAGE=golang:1.26

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# grpcnotrace leaves out pages of grpc that make the binary a quarter bigger.
RUN CGO_ENABLED=0 go build -tags grpcnotrace -trimpath -o /autopurchase ./cmd/autopurchase

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /autopurchase /autopurchase
USER 65532:65532
EXPOSE 7700 7710
HEALTHCHECK --interval=5s --timeout=3s --retries=5 CMD ["/autopurchase", "health", "http://127.0.0.1:7710/readyz"]
ENTRYPOINT ["/autopurchase"]
