package tendril;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What is asked of the function; its headers by lower-case names. */
public record Request(String method, String url, Map<String, String> headers, byte[] body) {
    public String path() {
        return url.split("\\?", 2)[0];
    }

    public Map<String, String> query() {
        Map<String, String> query = new LinkedHashMap<>();
        String[] parts = url.split("\\?", 2);
        if (parts.length < 2 || parts[1].isEmpty()) return query;
        for (String pair : parts[1].split("&")) {
            String[] sides = pair.split("=", 2);
            query.put(decoded(sides[0]), sides.length < 2 ? "" : decoded(sides[1]));
        }
        return query;
    }

    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    public Object json() {
        return Json.parse(text());
    }

    /** A percent sign that begins nothing stands for itself, as everywhere on the web. */
    private static String decoded(String text) {
        return URLDecoder.decode(text.replaceAll("%(?![0-9a-fA-F]{2})", "%25"), StandardCharsets.UTF_8);
    }
}
