<?php
return function ($context) {
    $req = $context->req;
    $res = $context->res;
    switch ($req->path) {
        case '/hello':
            $answer = ['method' => $req->method, 'query' => $req->query, 'header' => $req->headers['x-a'], 'body' => $req->json()];
            return $res->json($answer, 201, ['X-B' => 'c']);
        case '/env':
            return $res->text($context->env['NAME'] . ' ' . getenv('NAME'));
        case '/log':
            $context->log('one', 1);
            echo "two\n";
            $context->error('three');
            trigger_error('four', E_USER_WARNING);
            return $res->empty();
        case '/print':
            ob_start();
            echo 'ü, no end';
            return $res->empty();
        case '/long':
            echo str_repeat('x', 5_000_000), "\n";
            return $res->empty();
        case '/header':
            return $res->text('', 200, ['x-a' => "a\nb"]);
        case '/fatal':
            set_time_limit(1);
            for (;;);
        case '/graphql':
            return $res->json($context->graphql('{ a }', ['b' => 1]));
        case '/wrong':
            return $res->json($context->graphql('{ wrong }'));
        case '/fetch':
            $got = $context->fetch('https://example.com/x', 'POST', ['x-a' => 'b'], 'c');
            return $res->text("$got->status {$got->headers['x-b']} {$got->text()}");
        case '/refused':
            try {
                return $res->text($context->fetch('https://refused.example/')->text());
            } catch (RuntimeException $error) {
                return $res->text($error->getMessage());
            }
        case '/throw':
            throw new TypeError('no');
        case '/redirect':
            return $res->redirect('/x');
        case '/invalid':
            return 5;
        case '/stream':
            return $res->stream(['a', 'b', 'c']);
        case '/memory':
            for ($all = []; ; ) {
                $all[] = str_repeat(random_bytes(1000), 10000);
            }
        default:
            exit(3);
    }
};
