import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Hears from the gateway what becomes of orders, and keeps what it heard in orders.properties.
 *
 * <pre>SECRET=whsec_... java Webhook.java 127.0.0.1:8090</pre>
 */
public class Webhook {
    /** In bytes. A notice is shorter. */
    private static final int MOST = 64 * 1024;

    /** In seconds. What was signed longer ago may be a copy that somebody kept. */
    private static final long OLDEST = 300;

    private static final Path KEPT = Path.of("orders.properties");

    static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    /** Whether whoever has the secret signed exactly this, just now. */
    static boolean isGenuine(HttpExchange exchange, byte[] body) throws GeneralSecurityException {
        String at = header(exchange, "webhook-timestamp");
        if (!at.matches("[0-9]{1,12}") || Math.abs(Instant.now().getEpochSecond() - Long.parseLong(at)) > OLDEST) {
            return false;
        }
        byte[] key = Base64.getDecoder().decode(System.getenv("SECRET").substring("whsec_".length()));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((header(exchange, "webhook-id") + "." + at + ".").getBytes(StandardCharsets.ISO_8859_1));
        byte[] right = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(StandardCharsets.ISO_8859_1);
        boolean genuine = false;
        for (String given : header(exchange, "webhook-signature").split(" ")) {
            genuine |= MessageDigest.isEqual(right, given.getBytes(StandardCharsets.ISO_8859_1));
        }
        return genuine;
    }

    /** A field of the order, which is what stands behind "data". In your shop a JSON library does this. */
    static String field(String json, String name, String value) throws IOException {
        Matcher found = Pattern.compile("\"" + name + "\":" + value).matcher(json);
        if (!found.find(Math.max(0, json.indexOf("\"data\":")))) {
            throw new IOException("the notice has no " + name);
        }
        return found.group(1);
    }

    /**
     * Keeps it, unless this version or a higher one is kept already. Whether it was new.
     *
     * With a database: UPDATE orders SET state = ?, version = ? WHERE order_id = ? AND version < ?
     */
    static synchronized boolean keep(String orderId, String state, long version) throws IOException {
        Properties kept = new Properties();
        if (Files.exists(KEPT)) {
            try (var reader = Files.newBufferedReader(KEPT)) {
                kept.load(reader);
            }
        }
        String known = kept.getProperty(orderId);
        if (known != null && version <= Long.parseLong(known.split(" ")[0])) {
            return false;
        }
        kept.setProperty(orderId, version + " " + state);
        // What your shop does because of it, such as to refund what has failed, belongs into the same transaction: what
        // is kept is not done again. Here a file of its own, and then its name: one of the two is whole.
        Path next = Path.of("orders.new");
        try (var writer = Files.newBufferedWriter(next)) {
            kept.store(writer, null);
        }
        Files.move(next, KEPT, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    static int hear(HttpExchange exchange) throws IOException, GeneralSecurityException {
        byte[] body = exchange.getRequestBody().readNBytes(MOST + 1);
        if (body.length > MOST) {
            return 413;
        }
        if (!isGenuine(exchange, body)) {
            return 401;
        }
        String json = new String(body, StandardCharsets.UTF_8);
        String orderId = field(json, "order_id", "\"([^\"]*)\"");
        String state = field(json, "state", "\"([^\"]*)\"");
        if (keep(orderId, state, Long.parseLong(field(json, "version", "([0-9]+)")))) {
            System.out.println(orderId + " " + state);
        }
        // Only now: what is answered with 2xx is not sent again. A repeated or an older notice is one, too.
        return 204;
    }

    public static void main(String[] args) throws IOException {
        String secret = System.getenv("SECRET");
        String[] address = args.length == 1 ? args[0].split(":") : new String[0];
        if (address.length != 2 || secret == null || !secret.startsWith("whsec_")) {
            System.err.println("SECRET=whsec_... java Webhook.java HOST:PORT");
            System.exit(2);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(address[0], Integer.parseInt(address[1])), 0);
        server.createContext("/", exchange -> {
            int status = 500;
            try {
                status = hear(exchange);
            } catch (IOException | GeneralSecurityException | RuntimeException trouble) {
                // It is sent again.
                System.err.println(trouble);
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }
}
