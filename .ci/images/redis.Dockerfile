# Stand-in for the public Redis image, for machines that cannot pull it. The build context is laid out by ./ensure.
FROM scratch
COPY . /
ENV PATH=/usr/bin:/bin
# COPY drops owners, and a volume keeps those it finds: without this the append-only file cannot be written.
RUN chown redis /data
VOLUME /data
WORKDIR /data
USER redis
EXPOSE 6379
CMD ["redis-server"]
