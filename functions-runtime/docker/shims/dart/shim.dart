// Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts).
// The build puts the function's own file in place of FUNCTION_FILE. Not tried: no machine of ours has Dart.
import 'dart:async';
import 'dart:convert';
import 'dart:io';
import 'dart:typed_data';

import 'FUNCTION_FILE' as function;

final _source = _Reader(File('/dev/fd/3').openRead());
final _target = File('/dev/fd/4').openSync(mode: FileMode.writeOnly);
final _waiting = <int, Completer<_Frame>>{};
int _calls = 0;

class _Frame {
  final Map<String, dynamic> head;
  final Uint8List body;
  _Frame(this.head, this.body);
}

/// Gives so many bytes as are asked for, or null at the end.
class _Reader {
  final StreamIterator<List<int>> _chunks;
  final _rest = BytesBuilder(copy: false);
  _Reader(Stream<List<int>> stream) : _chunks = StreamIterator(stream);

  Future<Uint8List?> read(int length) async {
    while (_rest.length < length) {
      if (!await _chunks.moveNext()) return null;
      _rest.add(_chunks.current);
    }
    final bytes = _rest.takeBytes();
    _rest.add(Uint8List.sublistView(bytes, length));
    return Uint8List.sublistView(bytes, 0, length);
  }
}

Future<_Frame?> _receive() async {
  final lengths = await _source.read(8);
  if (lengths == null) return null;
  final view = ByteData.sublistView(lengths);
  final head = await _source.read(view.getUint32(0));
  final body = await _source.read(view.getUint32(4));
  return head == null || body == null ? null : _Frame(jsonDecode(utf8.decode(head)), body);
}

void _send(Map<String, dynamic> head, [List<int> body = const []]) {
  final text = utf8.encode(jsonEncode(head));
  final lengths = ByteData(8)
    ..setUint32(0, text.length)
    ..setUint32(4, body.length);
  _target.writeFromSync([...lengths.buffer.asUint8List(), ...text, ...body]);
}

void _say(String level, String text) {
  for (final line in text.split('\n')) {
    _send({'kind': 'log', 'level': level, 'text': line.substring(0, line.length.clamp(0, 10000))});
  }
}

/// Asks the broker, through the executor.
Future<_Frame> _call(Map<String, dynamic> head, [List<int> body = const []]) async {
  final answer = Completer<_Frame>();
  _waiting[++_calls] = answer;
  _send({...head, 'call': _calls}, body);
  final reply = await answer.future;
  if (reply.head['error'] != null) throw StateError(reply.head['error']['message'] as String);
  return reply;
}

Map<String, String> _texts(dynamic map) => Map<String, String>.from(map as Map);

class Request {
  final String method, url;
  final Map<String, String> headers;
  final Uint8List body;
  Request(this.method, this.url, this.headers, this.body);
  String get path => url.split('?').first;
  Map<String, String> get query => Uri.parse(url).queryParameters;
  String text() => utf8.decode(body);
  dynamic json() => jsonDecode(text());
}

class Response {
  final int status;
  final Map<String, String> headers;
  final Stream<List<int>> body;
  Response(this.body, this.status, this.headers);
}

class Responses {
  Response json(Object? value, {int status = 200}) => _as('application/json', utf8.encode(jsonEncode(value)), status);
  Response text(String text, {int status = 200}) => _as('text/plain; charset=utf-8', utf8.encode(text), status);
  Response binary(List<int> bytes, {int status = 200}) => _as('application/octet-stream', bytes, status);
  Response stream(Stream<List<int>> chunks, {int status = 200}) =>
      Response(chunks, status, {'content-type': 'application/octet-stream'});
  Response empty({int status = 204}) => Response(const Stream.empty(), status, {});
  Response redirect(String url, {int status = 302}) => Response(const Stream.empty(), status, {'location': url});
  Response _as(String type, List<int> bytes, int status) =>
      Response(Stream.value(bytes), status, {'content-type': type});
}

class FetchResponse {
  final int status;
  final Map<String, String> headers;
  final Uint8List body;
  FetchResponse(this.status, this.headers, this.body);
}

class Context {
  final Request req;
  final res = Responses();
  final Map<String, String> env;
  Context(this.req, this.env);

  void log(Object? value) => _say('log', '$value');
  void error(Object? value) => _say('error', '$value');

  /// What the project's own API answers, its data. Throws a StateError on errors.
  Future<dynamic> graphql(String query, [Map<String, dynamic> variables = const {}]) async {
    final reply = await _call({'kind': 'graphql', 'query': query, 'variables': variables});
    final answer = jsonDecode(utf8.decode(reply.body)) as Map<String, dynamic>;
    final errors = answer['errors'] as List<dynamic>? ?? [];
    if (errors.isNotEmpty) throw StateError(errors.map((error) => error['message']).join('\n'));
    return answer['data'];
  }

  Future<FetchResponse> fetch(String url,
      {String method = 'GET', Map<String, String> headers = const {}, List<int> body = const []}) async {
    final reply = await _call({'kind': 'fetch', 'method': method, 'url': url, 'headers': headers}, body);
    return FetchResponse(reply.head['status'] as int, _texts(reply.head['headers']), reply.body);
  }
}

int _memory() => int.parse(File('/proc/self/statm').readAsStringSync().split(' ')[1]) * 4096;

void _fail(String reason, String message, [String? stack]) =>
    _send({'kind': 'failed', 'reason': reason, 'message': message, 'stack': stack, 'memoryBytes': _memory()});

Future<void> _run(_Frame frame) async {
  final head = frame.head;
  try {
    final request = Request(head['method'] as String, head['url'] as String, _texts(head['headers']), frame.body);
    final dynamic response = await function.main(Context(request, _texts(head['variables'])));
    if (response is! Response) return _fail('INVALID_ANSWER', 'The function returned no response: return context.res.json(…), or another of res.');
    final answer = {'status': response.status, 'headers': response.headers};
    final isStreamed = head['isStreamed'] as bool;
    if (isStreamed) _send({'kind': 'head', ...answer});
    final all = BytesBuilder();
    await for (final chunk in response.body) {
      isStreamed ? _send({'kind': 'chunk'}, chunk) : all.add(chunk);
    }
    _send({'kind': 'end', ...answer, 'memoryBytes': _memory()}, all.takeBytes());
  } catch (error, stack) {
    _fail('THREW', '$error', '$stack');
  }
}

Future<void> main() async {
  _send({'kind': 'ready'});
  final printing = ZoneSpecification(print: (self, parent, zone, line) => _say('log', line));
  await runZoned(() async {
    for (var frame = await _receive(); frame != null; frame = await _receive()) {
      if (frame.head['kind'] == 'run') {
        unawaited(_run(frame));
      } else {
        _waiting.remove(frame.head['call'])?.complete(frame);
      }
    }
  }, zoneSpecification: printing);
  exit(0);
}
