import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
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
        while (true) {
            try {
                HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() != 429 && answer.statusCode() < 500) {
                    return answer;
                }
            } catch (IOException noAnswer) {
                // Nobody knows whether it arrived.
            }
            Thread.sleep(1000);
        }
    }

    /** A text of the answer. In your shop a JSON library does this. */
    static String field(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    public static void main(String[] args) throws InterruptedException {
        String orderId = args[0];
        String order = String.format(
                "{\"order_id\":\"%s\",\"kind\":\"mobile\",\"account\":\"%s\",\"amount\":%d}",
                orderId, args[1], Integer.parseInt(args[2]));
        HttpResponse<String> answer = certainly("POST", "/v1/orders", order);
        while (answer.statusCode() == 200 || answer.statusCode() == 202) {
            String state = field(answer.body(), "state");
            if (Set.of("succeeded", "failed", "review").contains(state)) {
                System.out.println(orderId + " " + state);
                return;
            }
            Thread.sleep(1000);
            answer = certainly("GET", "/v1/orders/" + orderId, null);
        }
        System.err.println("refused: " + field(answer.body(), "detail") + " (" + field(answer.body(), "advice") + ")");
        System.exit(1);
    }
}
