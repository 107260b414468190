<?php
// Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts).
declare(strict_types=1);

namespace Tendril;

final class Wire
{
    private static $source;
    private static $target;
    private static int $calls = 0;
    public static bool $isRunning = false;

    public static function open(): void
    {
        self::$source = fopen('php://fd/3', 'rb');
        self::$target = fopen('php://fd/4', 'wb');
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
            self::send(['kind' => 'log', 'level' => $level, 'text' => $line]);
        }
    }

    public static function fail(string $reason, string $message, ?string $stack = null): void
    {
        self::$isRunning = false;
        $memory = memory();
        self::send(['kind' => 'failed', 'reason' => $reason, 'message' => $message, 'stack' => $stack, 'memoryBytes' => $memory]);
    }
}

function memory(): int
{
    return (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096;
}

/** Why a graphql or fetch has no answer. */
class EffectError extends \RuntimeException
{
}

/** What the API has answered with errors. */
final class GraphqlError extends EffectError
{
    public function __construct(public readonly array $errors, public readonly mixed $data)
    {
        parent::__construct(implode("\n", array_column($errors, 'message')));
    }
}

class Message
{
    /** @param array<string, string> $headers by lower-case names */
    public function __construct(public readonly array $headers, public readonly string $body)
    {
    }

    public function text(): string
    {
        return $this->body;
    }

    public function json(): mixed
    {
        return json_decode($this->body, true, 512, JSON_THROW_ON_ERROR);
    }
}

final class Request extends Message
{
    public readonly string $path;
    public readonly array $query;

    public function __construct(public readonly string $method, public readonly string $url, array $headers, string $body)
    {
        parent::__construct($headers, $body);
        [$this->path, $query] = explode('?', $url, 2) + ['', ''];
        parse_str($query, $all);
        $this->query = $all;
    }
}

final class FetchResponse extends Message
{
    public readonly bool $ok;

    public function __construct(public readonly int $status, array $headers, string $body)
    {
        parent::__construct($headers, $body);
        $this->ok = $status >= 200 && $status < 300;
    }
}

final class Response
{
    public function __construct(public string|iterable $body = '', public int $status = 200, public array $headers = [])
    {
        $this->headers = array_map(strval(...), array_change_key_case($headers));
    }
}

final class Responses
{
    public function json(mixed $value, int $status = 200, array $headers = []): Response
    {
        $text = json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        return new Response($text, $status, [...['content-type' => 'application/json'], ...array_change_key_case($headers)]);
    }

    public function text(string $text, int $status = 200, array $headers = []): Response
    {
        return new Response($text, $status, [...['content-type' => 'text/plain; charset=utf-8'], ...array_change_key_case($headers)]);
    }

    public function binary(string $bytes, int $status = 200, array $headers = []): Response
    {
        return $this->stream($bytes, $status, $headers);
    }

    public function stream(string|iterable $chunks, int $status = 200, array $headers = []): Response
    {
        return new Response($chunks, $status, [...['content-type' => 'application/octet-stream'], ...array_change_key_case($headers)]);
    }

    public function empty(int $status = 204, array $headers = []): Response
    {
        return new Response('', $status, $headers);
    }

    public function redirect(string $url, int $status = 302, array $headers = []): Response
    {
        return new Response('', $status, [...array_change_key_case($headers), 'location' => $url]);
    }
}

final class Context
{
    public readonly Responses $res;

    public function __construct(public readonly Request $req, public readonly array $env)
    {
        $this->res = new Responses();
    }

    public function log(mixed ...$values): void
    {
        Wire::say('log', self::shown($values));
    }

    public function error(mixed ...$values): void
    {
        Wire::say('error', self::shown($values));
    }

    /** What the project's own API answers, its data. Throws a GraphqlError on errors. */
    public function graphql(string $query, array $variables = []): mixed
    {
        $answer = json_decode(Wire::call(['kind' => 'graphql', 'query' => $query, 'variables' => (object) $variables])[1], true);
        if (!empty($answer['errors'])) {
            throw new GraphqlError($answer['errors'], $answer['data'] ?? null);
        }
        return $answer['data'] ?? null;
    }

    public function fetch(string $url, string $method = 'GET', array $headers = [], string $body = '', mixed $json = null): FetchResponse
    {
        $headers = array_map(strval(...), array_change_key_case($headers));
        if ($json !== null) {
            $body = json_encode($json, JSON_THROW_ON_ERROR);
            $headers += ['content-type' => 'application/json'];
        }
        [$reply, $answer] = Wire::call(['kind' => 'fetch', 'method' => $method, 'url' => $url, 'headers' => (object) $headers], $body);
        return new FetchResponse($reply['status'], $reply['headers'], $answer);
    }

    private static function shown(array $values): string
    {
        $texts = array_map(fn ($value) => is_string($value) ? $value : json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR), $values);
        return implode(' ', $texts);
    }
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
    Wire::$isRunning = false;
    Wire::send(['kind' => 'end', ...$head, 'memoryBytes' => memory()], $body);
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
// What is printed becomes lines of the log.
ob_start(function (string $text): string {
    static $rest = '';
    $lines = explode("\n", $rest . $text);
    $rest = array_pop($lines);
    foreach ($lines as $line) {
        Wire::send(['kind' => 'log', 'level' => 'log', 'text' => $line]);
    }
    return '';
}, 1);
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
        Wire::fail('THREW', $error['message'], str_replace(getcwd() . '/', '', "{$error['file']}:{$error['line']}"));
    }
});
$known = getenv();
Wire::send(['kind' => 'ready']);
for (;;) {
    [$head, $body] = Wire::receive();
    if ($head['kind'] === 'run') {
        run($head, $body, $known);
    }
}
