package tendril;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** One run: `public static Response main(Context context)`. The environment is `env()`: a process in Java cannot change its own. */
public record Context(Request req, Map<String, String> env) {
    public void log(Object... values) {
        Shim.say(this, "log", shown(values));
    }

    public void error(Object... values) {
        Shim.say(this, "error", shown(values));
    }

    public Object graphql(String query) throws IOException {
        return graphql(query, Map.of());
    }

    /** What the project's own API answers, its data. Throws a GraphqlException on errors. */
    public Object graphql(String query, Map<String, ?> variables) throws IOException {
        Shim.Frame reply = Shim.call(this, Map.of("kind", "graphql", "query", query, "variables", variables == null ? Map.of() : variables), new byte[0]);
        Map<?, ?> answer = (Map<?, ?>) Json.parse(new String(reply.body(), StandardCharsets.UTF_8));
        if (answer.get("errors") instanceof List<?> errors && !errors.isEmpty()) throw new GraphqlException(errors, answer.get("data"));
        return answer.get("data");
    }

    public Response fetch(String url) throws IOException {
        return fetch("GET", url, Map.of(), new byte[0]);
    }

    public Response fetch(String method, String url, Map<String, String> headers, byte[] body) throws IOException {
        Shim.Frame reply = Shim.call(this, Map.of("kind", "fetch", "method", method, "url", url, "headers", headers), body);
        int status = ((Number) reply.head().get("status")).intValue();
        return new Response(status, Shim.texts(reply.head().get("headers")), new ByteArrayInputStream(reply.body()), false);
    }

    private static String shown(Object[] values) {
        return Arrays.stream(values).map(Context::shown).collect(Collectors.joining(" "));
    }

    /** What is in an array, too. */
    private static String shown(Object value) {
        String text = Arrays.deepToString(new Object[] {value});
        return text.substring(1, text.length() - 1);
    }
}
