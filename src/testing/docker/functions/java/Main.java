import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tendril.Context;
import tendril.Request;
import tendril.Response;

public class Main {
    private record Point(int x, String y) {}

    private static volatile String later;

    public static Response main(Context context) throws Exception {
        Request req = context.req();
        switch (req.path()) {
            case "/hello":
                Map<String, Object> answer =
                    Map.of("method", req.method(), "query", req.query(), "header", req.headers().get("x-a"), "body", req.json());
                return Response.json(answer).status(201).header("X-B", "c");
            case "/env":
                return Response.text(context.env().get("NAME") + " " + context.env().get("NAME"));
            case "/log":
                context.log("one", 1);
                System.out.println("two");
                context.error("three");
                System.err.println("four");
                return Response.empty();
            case "/print":
                System.out.print("ü, no end");
                return Response.empty();
            case "/long":
                System.out.println("x".repeat(5_000_000));
                return Response.empty();
            case "/header":
                return Response.text("").header("x-a", "a\nb");
            case "/leave":
                Thread left = new Thread(() -> {
                    try {
                        context.fetch("https://hanging.example/");
                    } catch (IOException over) {
                        System.exit(5);
                    }
                });
                left.start();
                Thread.sleep(100);
                context.log("left");
                return Response.empty();
            case "/later":
                new Thread(() -> {
                    try {
                        Thread.sleep(300);
                        context.log("late");
                        context.graphql("{ a }");
                    } catch (IOException | InterruptedException over) {
                        later = over.getMessage();
                    }
                }).start();
                return Response.empty();
            case "/told":
                Thread.sleep(800);
                return Response.text(later);
            case "/json":
                return Response.json(new Object[] {new int[] {1, 2}, Double.NaN, new Point(1, "a"), Optional.of(1), Optional.empty(), 'c'});
            case "/arrays":
                context.log(new int[] {1, 2}, null, "a");
                return Response.empty();
            case "/caused":
                throw new IllegalStateException("outer", new IOException("inner"));
            case "/broken-stream":
                return Response.stream(new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException("no");
                    }
                });
            case "/graphql":
                return Response.json(context.graphql("{ a }", Map.of("b", 1)));
            case "/wrong":
                return Response.json(context.graphql("{ wrong }", Map.of()));
            case "/fetch":
                Response got = context.fetch("POST", "https://example.com/x", Map.of("x-a", "b"), "c".getBytes());
                return Response.text(got.status() + " " + got.headers().get("x-b") + " " + got.text());
            case "/refused":
                try {
                    return context.fetch("https://refused.example/");
                } catch (IOException error) {
                    return Response.text(error.getMessage());
                }
            case "/throw":
                throw new IllegalStateException("no");
            case "/redirect":
                return Response.redirect("/x");
            case "/invalid":
                return null;
            case "/stream":
                return Response.stream(new ByteArrayInputStream("abc".getBytes()));
            case "/memory":
                List<byte[]> all = new ArrayList<>();
                while (true) all.add(new byte[10_000_000]);
            default:
                System.exit(4);
                return null;
        }
    }
}
