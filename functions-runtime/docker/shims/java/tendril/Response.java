package tendril;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the function answers, or what `fetch` has got. A stream is sent as it comes. */
public record Response(int status, Map<String, String> headers, InputStream stream, boolean isStream) {
    public static Response json(Object value) {
        return text(Json.write(value)).header("content-type", "application/json");
    }

    public static Response text(String text) {
        return binary(text.getBytes(StandardCharsets.UTF_8)).header("content-type", "text/plain; charset=utf-8");
    }

    public static Response binary(byte[] body) {
        return new Response(200, Map.of("content-type", "application/octet-stream"), new ByteArrayInputStream(body), false);
    }

    public static Response stream(InputStream stream) {
        return new Response(200, Map.of("content-type", "application/octet-stream"), stream, true);
    }

    public static Response empty() {
        return new Response(204, Map.of(), InputStream.nullInputStream(), false);
    }

    public static Response redirect(String url) {
        return empty().status(302).header("location", url);
    }

    public Response status(int status) {
        return new Response(status, headers, stream, isStream);
    }

    public Response header(String name, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(name.toLowerCase(), value);
        return new Response(status, all, stream, isStream);
    }

    public byte[] bytes() throws java.io.IOException {
        return stream.readAllBytes();
    }

    public String text() throws java.io.IOException {
        return new String(bytes(), StandardCharsets.UTF_8);
    }
}
