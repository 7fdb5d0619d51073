#!/bin/sh
# As the image's own: the address of this container into cassandra.yaml, then the node in the foreground.
set -eu
address=$(hostname -i)
sed -i -e "s/^listen_address: .*/listen_address: $address/" \
  -e "s/^rpc_address: .*/rpc_address: ${CASSANDRA_RPC_ADDRESS:-$address}/" \
  -e "s/- seeds: .*/- seeds: \"$address\"/" /etc/cassandra/cassandra.yaml
exec /opt/java/openjdk/bin/java -Xms"$MAX_HEAP_SIZE" -Xmx"$MAX_HEAP_SIZE" @/etc/cassandra/jvm.options \
  -javaagent:"$(echo /opt/cassandra/lib/jamm-*.jar)" -Dcassandra.config=file:///etc/cassandra/cassandra.yaml \
  -Dcassandra.storagedir=/var/lib/cassandra -Dlogback.configurationFile=/etc/cassandra/logback.xml \
  -cp '/opt/cassandra/lib/*' org.apache.cassandra.service.CassandraDaemon
