package tendril;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/** Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts). */
public final class Shim {
    record Frame(Map<String, Object> head, byte[] body) {}

    private static DataInputStream source;
    private static DataOutputStream target;
    private static final ReentrantLock calling = new ReentrantLock();
    private static final Lines out = new Lines("log");
    private static final Lines err = new Lines("error");
    private static Method loaded;
    private static long calls;
    /** That of the run that is under way. */
    private static volatile Context current;

    public static void main(String[] args) throws IOException {
        source = new DataInputStream(new FileInputStream("/dev/fd/3"));
        target = new DataOutputStream(new FileOutputStream("/dev/fd/4"));
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        send(Map.of("kind", "ready"), new byte[0]);
        for (;;) {
            Frame frame = receive();
            if (frame.head().get("kind").equals("run")) run(frame);
        }
    }

    static Map<String, String> texts(Object map) {
        Map<String, String> texts = new LinkedHashMap<>();
        ((Map<?, ?>) map).forEach((name, value) -> texts.put((String) name, (String) value));
        return texts;
    }

    /** What a run leaves behind is no part of the next. */
    static void say(Context context, String level, String text) {
        if (context == current) say(level, text);
    }

    private static void say(String level, String text) {
        try {
            for (String line : text.split("\n", -1)) send(Map.of("kind", "log", "level", level, "text", cut(line, 10_000)), new byte[0]);
        } catch (IOException gone) {
            System.exit(1);
        }
    }

    /** Asks the broker, through the executor. */
    static Frame call(Context context, Map<String, ?> head, byte[] body) throws IOException {
        calling.lock();
        try {
            if (context != current) throw new IOException("The run is over.");
            return callAlone(head, body);
        } finally {
            calling.unlock();
        }
    }

    private static Frame callAlone(Map<String, ?> head, byte[] body) throws IOException {
        calls++;
        Map<String, Object> asked = new LinkedHashMap<>(head);
        asked.put("call", calls);
        send(asked, body);
        for (;;) {
            Frame reply = receive();
            if (!reply.head().get("kind").equals("reply") || !Long.valueOf(calls).equals(reply.head().get("call"))) continue;
            if (reply.head().get("error") != null) throw new IOException((String) ((Map<?, ?>) reply.head().get("error")).get("message"));
            return reply;
        }
    }

    private static void send(Map<String, ?> head, byte[] body) throws IOException {
        byte[] text = Json.write(head).getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(8 + text.length + body.length);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(text.length);
        out.writeInt(body.length);
        out.write(text);
        out.write(body);
        synchronized (target) {
            target.write(bytes.toByteArray());
        }
    }

    @SuppressWarnings("unchecked")
    private static Frame receive() throws IOException {
        int head = 0;
        try {
            head = source.readInt();
        } catch (IOException ended) {
            Runtime.getRuntime().halt(0);
        }
        int body = source.readInt();
        String text = new String(source.readNBytes(head), StandardCharsets.UTF_8);
        return new Frame((Map<String, Object>) Json.parse(text), source.readNBytes(body));
    }

    private static Method load(String entrypoint) throws ReflectiveOperationException {
        if (loaded == null) {
            loaded = classOf(entrypoint.replaceFirst("\\.java$", "").replace('/', '.')).getMethod("main", Context.class);
        }
        return loaded;
    }

    /** Its package may begin in a folder: what is in `src/main/java/org/example/Main.java` is `org.example.Main`. */
    private static Class<?> classOf(String name) throws ClassNotFoundException {
        for (String rest = name;; rest = rest.substring(rest.indexOf('.') + 1)) {
            try {
                return Class.forName(rest);
            } catch (ClassNotFoundException absent) {
                if (rest.indexOf('.') < 0) throw new ClassNotFoundException(name);
            }
        }
    }

    private static void run(Frame frame) throws IOException {
        Map<String, Object> head = frame.head();
        try {
            Request request = new Request((String) head.get("method"), (String) head.get("url"), texts(head.get("headers")), frame.body());
            Context context = current = new Context(request, texts(head.get("variables")));
            Object response = load((String) head.get("entrypoint")).invoke(null, context);
            if (response instanceof Response found) answer(found, (Boolean) head.get("isStreamed"));
            else fail("INVALID_ANSWER", "The function returned no Response: return Response.json(…), or another of it.", null);
        } catch (InvocationTargetException thrown) {
            threw(thrown.getCause());
        } catch (IOException | ReflectiveOperationException | RuntimeException | LinkageError error) {
            threw(error);
        }
    }

    private static void answer(Response response, boolean isStreamed) throws IOException {
        Map<String, Object> head = new LinkedHashMap<>(Map.of("status", response.status(), "headers", response.headers()));
        byte[] body = new byte[0];
        if (response.isStream() && isStreamed) {
            head.put("kind", "head");
            send(head, body);
            byte[] chunk = new byte[64 * 1024];
            for (int count; (count = response.stream().read(chunk)) >= 0;) {
                send(Map.of("kind", "chunk"), Arrays.copyOf(chunk, count));
            }
        } else {
            body = response.bytes();
        }
        head.put("kind", "end");
        end(head, body);
    }

    /** Tells how the run has ended. A thread that still waits for a reply would take the next run for it: this process ends then. */
    private static void end(Map<String, Object> head, byte[] body) throws IOException {
        System.out.flush();
        System.err.flush();
        out.end();
        err.end();
        current = null;
        boolean isLast = calling.isLocked();
        head.put("memoryBytes", memory());
        head.put("isLast", isLast);
        send(head, body);
        if (isLast) Runtime.getRuntime().halt(0);
    }

    private static String cut(String text, int length) {
        return text.length() > length ? text.substring(0, length) : text;
    }

    private static void threw(Throwable error) throws IOException {
        fail("THREW", error.toString(), told(error, 0));
    }

    /** With what has caused it. */
    private static String told(Throwable error, int depth) {
        String own = Arrays.stream(error.getStackTrace())
            .filter(place -> !place.getClassName().startsWith("tendril.") && !place.getClassName().matches("(java|jdk)\\..*reflect.*"))
            .map(place -> "\n    at " + place)
            .collect(Collectors.joining());
        Throwable cause = error.getCause();
        return error + own + (cause == null || depth == 10 ? "" : "\nCaused by: " + told(cause, depth + 1));
    }

    private static void fail(String reason, String message, String stack) throws IOException {
        Map<String, Object> head = new LinkedHashMap<>(Map.of("kind", "failed", "reason", reason, "message", cut(message, 65_536)));
        head.put("stack", stack == null ? null : cut(stack, 65_536));
        end(head, new byte[0]);
    }

    private static long memory() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }

    /** What is printed becomes lines of the log. */
    private static final class Lines extends OutputStream {
        private final String level;
        private final ByteArrayOutputStream rest = new ByteArrayOutputStream();

        Lines(String level) {
            this.level = level;
        }

        @Override
        public synchronized void write(int b) {
            if (b != '\n') {
                rest.write(b);
                return;
            }
            say(level, rest.toString(StandardCharsets.UTF_8));
            rest.reset();
        }

        synchronized void end() {
            if (rest.size() > 0) write('\n');
        }
    }
}
