// 算盘的商户后端，JDK 17，没有依赖：java -Dfile.encoding=UTF-8 Shop.java / a merchant's backend beside Suanpan: JDK 17, no dependency.
//
// POST /buy      小程序来下单：价格和订单是我们的 / the mini program buys: price and order are ours
// POST /webhook  算盘来说付款了：验签，只做一次 / Suanpan tells of the payment: verify, act once

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.*;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.*;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Shop {
    static final String SUANPAN = System.getenv("SUANPAN_URL"), API_KEY = System.getenv("SUANPAN_API_KEY");
    static final byte[] SECRET = Base64.getDecoder().decode(System.getenv("WEBHOOK_SECRET").replaceFirst("^whsec_", ""));
    static final Map<String, Integer> PRICES = Map.of("longjing", 990); // 分 / fen
    static final long TOLERANCE = 300; // 秒 / seconds
    static final HttpClient HTTP = HttpClient.newHttpClient();

    // 真的商店里这是一张表：编号唯一，和发货在同一个事务里
    // In earnest this is a table with a unique id, written in the transaction that ships the goods.
    static final Set<String> handled = ConcurrentHashMap.newKeySet();

    static String buy(String tea) throws IOException, InterruptedException {
        // 先记自己的订单，再向算盘下单 / your own order first, then Suanpan's
        String reference = UUID.randomUUID().toString();
        String order = "{\"reference\":\"%s\",\"amount\":%d,\"description\":\"龙井一杯\"}".formatted(reference, PRICES.get(tea));
        HttpRequest request = HttpRequest.newBuilder(URI.create(SUANPAN + "/v1/orders"))
                .header("Authorization", "Bearer " + API_KEY)
                // 没有回答就用同一个 key 再发，不会下两单 / no answer: send it again with the same key, and there is still one order
                .header("Idempotency-Key", reference)
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(10))
                .POST(HttpRequest.BodyPublishers.ofString(order))
                .build();
        var answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 201) throw new IOException(answer.body());
        return "{\"orderId\":\"" + field("id", answer.body()) + "\"}";
    }

    // Standard Webhooks：签的是原始字节 / what is signed is the bytes as they came.
    static boolean verified(Headers headers, byte[] body) throws GeneralSecurityException {
        String timestamp = first(headers, "webhook-timestamp");
        if (!timestamp.matches("\\d{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE) return false;
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET, "HmacSHA256"));
        mac.update((first(headers, "webhook-id") + "." + timestamp + ".").getBytes(UTF_8));
        byte[] ours = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(UTF_8);
        boolean found = false;
        // 换密钥的那一天有两个签名 / on the day after a rotation there are two
        for (String each : first(headers, "webhook-signature").split(" ")) {
            found |= MessageDigest.isEqual(ours, each.getBytes(UTF_8));
        }
        return found;
    }

    static void handle(String webhookId, String event) {
        if (!handled.add(webhookId)) return;
        if (field("type", event).equals("order.paid")) {
            System.out.println("paid " + field("id", event) + " " + field("amount", event));
        }
    }

    static String answer(HttpExchange call, byte[] body) throws Exception {
        return switch (call.getRequestURI().getPath()) {
            case "/buy" -> "200 " + buy(field("tea", new String(body, UTF_8)));
            case "/webhook" -> {
                if (!verified(call.getRequestHeaders(), body)) yield "401 {}";
                handle(first(call.getRequestHeaders(), "webhook-id"), new String(body, UTF_8));
                yield "200 {}";
            }
            default -> "404 {}";
        };
    }

    // JDK 没有 JSON；真的商店里用你的 JSON 库 / the JDK has no JSON: in earnest, use your library.
    static String field(String name, String json) {
        var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"?([^\",}]*)").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    static String first(Headers headers, String name) {
        return Optional.ofNullable(headers.getFirst(name)).orElse("");
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(Optional.ofNullable(System.getenv("PORT")).orElse("3000"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", call -> {
            String said;
            try {
                said = answer(call, call.getRequestBody().readAllBytes());
            } catch (Exception error) {
                said = "500 {}"; // 算盘过一会儿再送 / Suanpan delivers it again later
            }
            byte[] text = said.substring(4).getBytes(UTF_8);
            call.sendResponseHeaders(Integer.parseInt(said.substring(0, 3)), text.length);
            call.getResponseBody().write(text);
            call.close();
        });
        server.start();
        System.out.println("listening");
    }
}
