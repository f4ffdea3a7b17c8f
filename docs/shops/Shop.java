import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Places an order with the gateway and follows it to its end.
 *
 * <pre>GATEWAY=http://127.0.0.1:8080 KEY=rk_... java Shop.java ORDER_ID PHONE YUAN</pre>
 */
public class Shop {
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Of one call, a second apart. Later, run it again with the same order id: it is the same order. */
    private static final int TRIES = 30;

    /** Until an order that has not ended is left to webhooks, or to a later look. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    /** Says why, and ends. */
    static void giveUp(String what) {
        System.err.println(what);
        System.exit(1);
    }

    /** What a problem says. */
    static String said(HttpResponse<String> answer) {
        String detail = field(answer.body(), "detail");
        return detail.isEmpty()
                ? "the answer was " + answer.statusCode() + ", without a problem's detail (look at GATEWAY)"
                : detail + " (" + field(answer.body(), "advice") + ")";
    }

    /** Asks until there is an answer. An order may be sent again: it is the same order. */
    static HttpResponse<String> certainly(String method, String path, String body) throws InterruptedException {
        HttpRequest.BodyPublisher what = body == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(body);
        HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("GATEWAY") + path))
                .method(method, what)
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + System.getenv("KEY"))
                .header("Content-Type", "application/json")
                .build();
        String why = "";
        for (int tried = 0; tried < TRIES; tried++) {
            try {
                HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() != 429 && answer.statusCode() < 500) {
                    return answer;
                }
                why = said(answer);
            } catch (IOException noAnswer) {
                // Nobody knows whether it arrived.
                why = "no answer: " + noAnswer + " (look at GATEWAY, and whether it runs)";
            }
            System.err.println("asking again: " + why);
            Thread.sleep(1000);
        }
        giveUp("given up for now: " + why
                + ". Nobody knows whether the order was taken: run this again with the same order id");
        throw new IllegalStateException("it has ended");
    }

    /** A text of the answer. In your shop a JSON library does this. */
    static String field(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length != 3 || System.getenv("GATEWAY") == null || System.getenv("KEY") == null) {
            System.err.println("GATEWAY=http://127.0.0.1:8080 KEY=rk_... java Shop.java ORDER_ID PHONE YUAN");
            System.exit(2);
        }
        String orderId = args[0];
        String order = String.format(
                "{\"order_id\":\"%s\",\"kind\":\"mobile\",\"account\":\"%s\",\"amount\":\"%s\"}",
                orderId, args[1], args[2]);
        HttpResponse<String> answer = certainly("POST", "/v1/orders", order);
        Instant end = Instant.now().plus(PATIENCE);
        while (answer.statusCode() == 200 || answer.statusCode() == 202) {
            String state = field(answer.body(), "state");
            if (Set.of("succeeded", "failed", "review").contains(state)) {
                System.out.println(orderId + " " + state);
                return;
            }
            if (Instant.now().isAfter(end)) {
                giveUp(orderId + " is still " + state + ": it goes on. Look again later, with the same order id");
            }
            Thread.sleep(1000);
            answer = certainly("GET", "/v1/orders/" + URLEncoder.encode(orderId, StandardCharsets.UTF_8).replace("+", "%20"), null);
        }
        giveUp("refused: " + said(answer));
    }
}
