# The program's image from a binary built on this machine, for machines that cannot pull the build image of ../../Dockerfile.
# The build context is laid out by ./ensure; the result is the same: a static binary and CA certificates, nothing else.
FROM scratch
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY autopurchase /autopurchase
USER 65532:65532
EXPOSE 7700 7710
HEALTHCHECK --interval=5s --timeout=3s --retries=5 CMD ["/autopurchase", "health", "http://127.0.0.1:7710/readyz"]
ENTRYPOINT ["/autopurchase"]
