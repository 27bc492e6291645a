# One image, two programs: /hook-server and /sidecar.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY hooks hooks
COPY metacontroller metacontroller
COPY server server
COPY sidecar sidecar
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH
RUN go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/hook-server ./server/cmd \
 && go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/sidecar ./sidecar/cmd

FROM gcr.io/distroless/static:nonroot
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/hook-server"]
