package com.x;

import java.io.IOException;
import tendril.Context;
import tendril.Response;

public class App {
    public static Response main(Context context) throws IOException {
        return Response.text(new String(App.class.getResourceAsStream("/hello.txt").readAllBytes()).trim());
    }
}
