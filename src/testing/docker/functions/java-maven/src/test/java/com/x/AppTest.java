package com.x;

import org.junit.Test;

public class AppTest {
    @Test
    public void answers() {}
}
