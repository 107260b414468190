<?php
// What a function sees of its run.
declare(strict_types=1);

namespace Tendril;

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
