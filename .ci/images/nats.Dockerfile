# Stand-in for the public NATS image, for machines that cannot pull it. The build context is laid out by ./ensure.
FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/bin
EXPOSE 4222 8222
CMD ["nats-server"]
