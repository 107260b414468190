<?php
// Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts).
declare(strict_types=1);

namespace Tendril;

require __DIR__ . '/contract.php';

final class Wire
{
    private static $source;
    private static $target;
    private static int $calls = 0;
    private static int $own;
    public static bool $isRunning = false;

    public static function open(): void
    {
        self::$source = fopen('php://fd/3', 'rb');
        self::$target = fopen('php://fd/4', 'wb');
        self::$own = getmypid();
    }

    public static function send(array $head, string $body = ''): void
    {
        $text = json_encode($head, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        $bytes = pack('NN', strlen($text), strlen($body)) . $text . $body;
        for ($at = 0; $at < strlen($bytes); $at += $written) {
            $written = fwrite(self::$target, $at === 0 ? $bytes : substr($bytes, $at));
            if ($written === false || $written === 0) {
                exit(1);
            }
        }
    }

    public static function receive(): array
    {
        ['head' => $head, 'body' => $body] = unpack('Nhead/Nbody', self::read(8));
        return [json_decode(self::read($head), true), self::read($body)];
    }

    private static function read(int $length): string
    {
        $bytes = '';
        while (strlen($bytes) < $length) {
            $part = fread(self::$source, $length - strlen($bytes));
            if ($part === false || $part === '') {
                self::$isRunning = false;
                exit(0);
            }
            $bytes .= $part;
        }
        return $bytes;
    }

    /** Asks the broker, through the executor. */
    public static function call(array $head, string $body = ''): array
    {
        $call = ++self::$calls;
        self::send([...$head, 'call' => $call], $body);
        do {
            [$reply, $answer] = self::receive();
        } while ($reply['kind'] !== 'reply' || $reply['call'] !== $call);
        if ($reply['error'] !== null) {
            throw new EffectError($reply['error']['message']);
        }
        return [$reply, $answer];
    }

    public static function say(string $level, string $text): void
    {
        foreach (explode("\n", $text) as $line) {
            self::send(['kind' => 'log', 'level' => $level, 'text' => substr($line, 0, 10_000)]);
        }
    }

    public static function fail(string $reason, string $message, ?string $stack = null, bool $isLast = false): void
    {
        [$message, $stack] = [substr($message, 0, 65_536), $stack === null ? null : substr($stack, 0, 65_536)];
        self::end(['kind' => 'failed', 'reason' => $reason, 'message' => $message, 'stack' => $stack, 'isLast' => $isLast]);
    }

    /** Tells how the run has ended. A child of this process that comes here has no run. */
    public static function end(array $head, string $body = ''): void
    {
        self::$isRunning = false;
        if (getmypid() !== self::$own) {
            exit(0);
        }
        Printed::end();
        self::send([...$head, 'memoryBytes' => memory()], $body);
    }
}

/** What is printed becomes lines of the log. */
final class Printed
{
    private static string $rest = '';

    public static function begin(): void
    {
        ob_start(self::take(...), 1);
    }

    /** Whatever buffers the function has left open, or closed. */
    public static function end(): void
    {
        while (ob_get_level() > 1) {
            ob_end_flush();
        }
        if (ob_get_level() === 0) {
            self::begin();
        }
        ob_flush();
        if (self::$rest !== '') {
            self::take("\n");
        }
    }

    private static function take(string $text): string
    {
        $lines = explode("\n", self::$rest . $text);
        self::$rest = array_pop($lines);
        foreach ($lines as $line) {
            Wire::say('log', $line);
        }
        return '';
    }
}

function memory(): int
{
    return (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096;
}

function answer(Response $response, bool $isStreamed): void
{
    $head = ['status' => $response->status, 'headers' => (object) $response->headers];
    $body = $response->body;
    if (!is_string($body)) {
        if ($isStreamed) {
            Wire::send(['kind' => 'head', ...$head]);
        }
        $all = '';
        foreach ($body as $chunk) {
            $isStreamed ? Wire::send(['kind' => 'chunk'], (string) $chunk) : $all .= $chunk;
        }
        $body = $all;
    }
    Wire::end(['kind' => 'end', ...$head], $body);
}

function load(string $entrypoint): callable
{
    static $loaded = null;
    if ($loaded === null) {
        if (is_file('vendor/autoload.php')) {
            require_once getcwd() . '/vendor/autoload.php';
        }
        $found = require getcwd() . '/' . $entrypoint;
        if (!is_callable($found)) {
            throw new \TypeError("$entrypoint returns no function.");
        }
        $loaded = $found;
    }
    return $loaded;
}

function run(array $head, string $body, array $known): void
{
    foreach (array_diff_key(getenv(), $known) as $name => $_) {
        putenv((string) $name);
    }
    foreach ($head['variables'] as $name => $value) {
        putenv("$name=$value");
    }
    $_ENV = [...$known, ...$head['variables']];
    Wire::$isRunning = true;
    try {
        $request = new Request($head['method'], $head['url'], $head['headers'], $body);
        $response = load($head['entrypoint'])(new Context($request, $head['variables']));
        if ($response instanceof Response) {
            answer($response, $head['isStreamed']);
        } else {
            Wire::fail('INVALID_ANSWER', 'The function returned ' . get_debug_type($response) . ': return $context->res->json(…), or another of res.');
        }
    } catch (\Throwable $error) {
        $own = fn (string $text) => str_replace(getcwd() . '/', '', $text);
        $lines = array_filter(explode("\n", $error->getTraceAsString()), fn ($line) => !str_contains($line, '/tendril/'));
        $place = $own($error->getFile()) . ':' . $error->getLine();
        Wire::fail('THREW', $error::class . ': ' . $error->getMessage(), $own($error::class . " at $place\n" . implode("\n", $lines)));
    }
}

Wire::open();
Printed::begin();
set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    if (error_reporting() & $level) {
        Wire::say('error', "$message, " . str_replace(getcwd() . '/', '', $file) . ":$line");
    }
    return true;
});
// What cannot be caught ends the run, and this process with it.
register_shutdown_function(function (): void {
    $error = error_get_last();
    if (Wire::$isRunning && $error !== null) {
        Wire::fail('THREW', $error['message'], str_replace(getcwd() . '/', '', "{$error['file']}:{$error['line']}"), true);
    }
    Printed::end();
});
$known = getenv();
Wire::send(['kind' => 'ready']);
for (;;) {
    [$head, $body] = Wire::receive();
    if ($head['kind'] === 'run') {
        run($head, $body, $known);
    }
}
