import ca.uhn.hl7v2.AcknowledgmentCode;
import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.llp.MinLowerLayerProtocol;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.CanonicalModelClassFactory;
import ca.uhn.hl7v2.parser.GenericModelClassFactory;
import ca.uhn.hl7v2.protocol.MetadataKeys;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.util.idgenerator.InMemoryIDGenerator;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** HAPI HL7v2 as a servant: a command a line, its words between tabs, texts as base64 of UTF-8; one line of answer each. */
public class Hl7Shell {
  private static final PrintStream OUT = System.out;
  private final List<HapiContext> contexts = new ArrayList<>();
  private final List<Connection> connections = new ArrayList<>();
  private final List<String> received = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger served = new AtomicInteger();

  public static void main(String[] args) throws Exception {
    System.setOut(System.err); // whatever a library prints is no answer
    Hl7Shell shell = new Hl7Shell();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        answer = "ok\t" + shell.run(line.split("\t", -1));
      } catch (Throwable e) {
        answer = "error\t" + base64(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
      OUT.println(answer);
      OUT.flush();
    }
    System.exit(0);
  }

  private String run(String[] words) throws Exception {
    switch (words[0]) {
      case "connect": return connect(words[1], Integer.parseInt(words[2]), words[3]);
      case "send": return send(connections.get(Integer.parseInt(words[1])), text(words[2]));
      case "load": return load(connections.get(Integer.parseInt(words[1])), text(words[2]), words[3], Integer.parseInt(words[4]));
      case "listen": return listen(Integer.parseInt(words[1]), words[2], Integer.parseInt(words[3]), words[4].equals("keep"));
      case "received": synchronized (received) { return String.join("\t", received); }
      case "close": connections.get(Integer.parseInt(words[1])).close(); return "";
      default: throw new IllegalArgumentException("no command " + words[0]);
    }
  }

  private HapiContext context(String charset) throws Exception {
    HapiContext context = new DefaultHapiContext();
    context.setValidationContext(ValidationContextFactory.noValidation());
    context.getParserConfiguration().setIdGenerator(new InMemoryIDGenerator()); // the default writes a file into the working directory
    context.setLowerLayerProtocol(protocol(charset));
    contexts.add(context);
    return context;
  }

  /** `default` is what HAPI does where nobody says otherwise: US-ASCII, whatever stands in MSH-18. `msh18` obeys the message. */
  private static MinLowerLayerProtocol protocol(String charset) {
    if (charset.equals("msh18")) return new MinLowerLayerProtocol(true);
    MinLowerLayerProtocol protocol = new MinLowerLayerProtocol();
    if (!charset.equals("default")) protocol.setCharset(Charset.forName(charset));
    return protocol;
  }

  private String connect(String host, int port, String charset) throws Exception {
    HapiContext context = context(charset);
    context.setModelClassFactory(new GenericModelClassFactory());
    Connection connection = context.newClient(host, port, false);
    connection.getInitiator().setTimeout(30, TimeUnit.SECONDS);
    connections.add(connection);
    return String.valueOf(connections.size() - 1);
  }

  private String send(Connection connection, String er7) throws Exception {
    Message message = contexts.get(0).getPipeParser().parse(er7);
    Message answer = connection.getInitiator().sendAndReceive(message);
    Terser said = new Terser(answer);
    return said.get("/.MSA-1") + "\t" + base64(String.valueOf(said.get("/.MSA-2"))) + "\t" + base64(answer.encode());
  }

  /** The template again and again, `@@` numbered, the next when the last is answered. Parsed before the time runs. */
  private String load(Connection connection, String template, String prefix, int count) throws Exception {
    Message[] messages = new Message[count];
    for (int i = 0; i < count; i++) messages[i] = contexts.get(0).getPipeParser().parse(template.replace("@@", prefix + i));
    double[] waits = new double[count];
    int accepted = 0;
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long sent = System.nanoTime();
      Message answer = connection.getInitiator().sendAndReceive(messages[i]);
      waits[i] = (System.nanoTime() - sent) / 1e6;
      if ("AA".equals(new Terser(answer).get("/.MSA-1"))) accepted++;
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Arrays.sort(waits);
    return accepted + "\t" + seconds + "\t" + waits[count / 2] + "\t" + waits[Math.min(count - 1, count * 99 / 100)];
  }

  private String listen(int port, String charset, int errorEvery, boolean keep) throws Exception {
    HapiContext context = context(charset);
    context.setModelClassFactory(new CanonicalModelClassFactory("2.5.1"));
    HL7Service server = context.newServer(port, false);
    server.registerApplication("*", "*", new ReceivingApplication<Message>() {
      @Override public boolean canProcess(Message message) { return true; }
      @Override public Message processMessage(Message message, Map<String, Object> metadata) {
        if (keep) received.add(base64((String) metadata.get(MetadataKeys.IN_RAW_MESSAGE)));
        boolean fails = errorEvery > 0 && served.incrementAndGet() % errorEvery == 0;
        try {
          return fails ? message.generateACK(AcknowledgmentCode.AE, null) : message.generateACK();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }
    });
    server.startAndWait();
    return "";
  }

  private static String base64(String text) { return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)); }
  private static String text(String base64) { return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8); }
}
