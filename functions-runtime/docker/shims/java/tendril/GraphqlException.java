package tendril;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the API has answered with errors. */
public final class GraphqlException extends IOException {
    private final transient List<?> errors;
    private final transient Object data;

    GraphqlException(List<?> errors, Object data) {
        super(errors.stream().map(error -> String.valueOf(((Map<?, ?>) error).get("message"))).collect(Collectors.joining("\n")));
        this.errors = errors;
        this.data = data;
    }

    public List<?> errors() {
        return errors;
    }

    public Object data() {
        return data;
    }
}
