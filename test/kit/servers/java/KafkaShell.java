import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own Java client as a servant: a command in JSON a line, an answer in JSON a line. Bytes are base64. */
public class KafkaShell {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PrintStream OUT = System.out;
  private final String bootstrap;
  private final Admin admin;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
  private final Map<String, KafkaConsumer<byte[], byte[]>> consumers = new HashMap<>();
  private final Map<String, List<Future<RecordMetadata>>> sent = new HashMap<>();

  private KafkaShell(String bootstrap) {
    this.bootstrap = bootstrap;
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  public static void main(String[] args) throws Exception {
    System.setOut(System.err);
    KafkaShell shell = new KafkaShell(args[0]);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        shell.run(JSON.readTree(line), answer);
      } catch (Throwable e) {
        Throwable cause = e instanceof java.util.concurrent.ExecutionException && e.getCause() != null ? e.getCause() : e;
        answer.put("error", cause.getClass().getSimpleName() + ": " + cause.getMessage());
      }
      OUT.write((JSON.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
      OUT.flush();
    }
    Runtime.getRuntime().halt(0);
  }

  private void run(JsonNode c, ObjectNode answer) throws Exception {
    switch (c.get("do").asText()) {
      case "create" -> create(c);
      case "configure" -> configure(c);
      case "leaders" -> leaders(c, answer);
      case "truncate" -> admin.deleteRecords(Map.of(partition(c), RecordsToDelete.beforeOffset(c.get("before").asLong()))).all().get();
      case "open" -> open(c);
      case "begin" -> producers.get(id(c)).beginTransaction();
      case "send" -> send(c);
      case "flush" -> flush(c, answer);
      case "commit" -> { flush(c, answer); producers.get(id(c)).commitTransaction(); }
      case "abort" -> { producers.get(id(c)).abortTransaction(); sent.get(id(c)).clear(); }
      case "close" -> { producers.remove(id(c)).close(); sent.remove(id(c)); }
      case "read" -> read(c, answer);
      case "ends" -> ends(c, answer);
      case "offsets" -> offsets(c, answer);
      default -> throw new IllegalArgumentException("no such command");
    }
  }

  private static String id(JsonNode c) { return c.get("id").asText(); }

  private static TopicPartition partition(JsonNode c) { return new TopicPartition(c.get("topic").asText(), c.get("partition").asInt()); }

  private static byte[] bytes(JsonNode n) { return n == null || n.isNull() ? null : Base64.getDecoder().decode(n.asText()); }

  private static void put(ObjectNode o, String name, byte[] bytes) { o.put(name, bytes == null ? null : Base64.getEncoder().encodeToString(bytes)); }

  private void create(JsonNode c) throws Exception {
    Map<String, String> config = new HashMap<>();
    c.path("config").fields().forEachRemaining(e -> config.put(e.getKey(), e.getValue().asText()));
    short replication = (short) c.path("replication").asInt(-1);
    NewTopic topic = new NewTopic(c.get("topic").asText(), java.util.Optional.of(c.get("partitions").asInt()), replication < 0 ? java.util.Optional.empty() : java.util.Optional.of(replication));
    admin.createTopics(List.of(topic.configs(config))).all().get();
  }

  private void configure(JsonNode c) throws Exception {
    List<AlterConfigOp> ops = new ArrayList<>();
    c.get("config").fields().forEachRemaining(e -> ops.add(new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue().asText()), AlterConfigOp.OpType.SET)));
    admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, c.get("topic").asText()), ops)).all().get();
  }

  private void leaders(JsonNode c, ObjectNode answer) throws Exception {
    ArrayNode leaders = answer.putArray("leaders");
    String topic = c.get("topic").asText();
    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().forEach(p -> leaders.add(p.leader() == null ? -1 : p.leader().id()));
  }

  private void open(JsonNode c) {
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    p.put("compression.type", c.path("codec").asText("none"));
    p.put("linger.ms", c.path("lingerMs").asInt(20));
    p.put("max.request.size", 20_000_000);
    p.put("max.block.ms", 60_000);
    if (c.hasNonNull("transactionalId")) p.put("transactional.id", c.get("transactionalId").asText());
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
    if (c.hasNonNull("transactionalId")) producer.initTransactions();
    producers.put(id(c), producer);
    sent.put(id(c), new ArrayList<>());
  }

  private void send(JsonNode c) {
    for (JsonNode r : c.get("records")) {
      List<Header> headers = new ArrayList<>();
      for (JsonNode h : r.path("headers")) headers.add(new RecordHeader(h.get("key").asText(), bytes(h.get("value"))));
      Long timestamp = r.hasNonNull("timestamp") ? r.get("timestamp").asLong() : null;
      sent.get(id(c)).add(producers.get(id(c)).send(new ProducerRecord<>(c.get("topic").asText(), r.get("partition").asInt(), timestamp, bytes(r.get("key")), bytes(r.get("value")), headers)));
    }
  }

  private void flush(JsonNode c, ObjectNode answer) throws Exception {
    producers.get(id(c)).flush();
    ArrayNode offsets = answer.putArray("offsets");
    for (Future<RecordMetadata> f : sent.get(id(c))) offsets.add(f.get().offset());
    sent.get(id(c)).clear();
  }

  private static String isolation(JsonNode c) { return c.path("isolation").asText("read_committed"); }

  /** One consumer for each isolation level, kept: to make one takes longer than to read. */
  private KafkaConsumer<byte[], byte[]> consumer(JsonNode c) {
    return consumers.computeIfAbsent(isolation(c), isolation -> {
      Properties p = new Properties();
      p.put("bootstrap.servers", bootstrap);
      p.put("isolation.level", isolation);
      p.put("auto.offset.reset", "none");
      p.put("enable.auto.commit", "false");
      p.put("check.crcs", "true");
      p.put("fetch.max.wait.ms", "20");
      return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    });
  }

  private void ends(JsonNode c, ObjectNode answer) throws Exception {
    ListOffsetsOptions as = new ListOffsetsOptions(isolation(c).equals("read_committed") ? IsolationLevel.READ_COMMITTED : IsolationLevel.READ_UNCOMMITTED);
    answer.put("start", admin.listOffsets(Map.of(partition(c), OffsetSpec.earliest()), as).partitionResult(partition(c)).get().offset());
    answer.put("end", admin.listOffsets(Map.of(partition(c), OffsetSpec.latest()), as).partitionResult(partition(c)).get().offset());
  }

  private void offsets(JsonNode c, ObjectNode answer) throws Exception {
    ObjectNode offsets = answer.putObject("offsets");
    admin.listConsumerGroupOffsets(c.get("group").asText()).partitionsToOffsetAndMetadata().get().forEach((tp, o) -> { if (o != null) offsets.put(tp.topic() + "/" + tp.partition(), o.offset()); });
  }

  /** From the first kept offset to the end as the isolation level sees it. */
  private void read(JsonNode c, ObjectNode answer) {
    ArrayNode records = answer.putArray("records");
    TopicPartition tp = partition(c);
    KafkaConsumer<byte[], byte[]> consumer = consumer(c);
    consumer.assign(List.of(tp));
    long end = consumer.endOffsets(List.of(tp)).get(tp);
    consumer.seek(tp, c.hasNonNull("from") ? c.get("from").asLong() : consumer.beginningOffsets(List.of(tp)).get(tp));
    while (consumer.position(tp) < end) {
      for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
        ObjectNode record = records.addObject();
        record.put("offset", r.offset());
        record.put("timestamp", r.timestamp());
        put(record, "key", r.key());
        put(record, "value", r.value());
        ArrayNode headers = record.putArray("headers");
        for (Header h : r.headers()) put(headers.addObject().put("key", h.key()), "value", h.value());
      }
    }
  }
}
