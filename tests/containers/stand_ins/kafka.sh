#!/bin/sh
# As the image's own: the broker's properties from the mounted file and KAFKA_… variables, a formatted folder, the broker.
set -eu
# Java expands it, not this shell
export CLASSPATH='/opt/kafka/libs/*'
java=/opt/java/openjdk/bin/java
done=$($java kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) \
  || echo "$done" | grep -i 'already formatted' || { echo "$done"; exit 1; }
exec $java ${KAFKA_HEAP_OPTS:-} -Dlog4j2.configurationFile=/etc/kafka/docker/log4j2.properties \
  kafka.Kafka /opt/kafka/config/server.properties
