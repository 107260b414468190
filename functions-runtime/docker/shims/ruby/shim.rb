# Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts).
require "json"
require "uri"

module Tendril
  SOURCE = IO.for_fd(3, "rb")
  TARGET = IO.for_fd(4, "wb")
  TARGET.sync = true
  WRITING = Mutex.new
  CALLING = Mutex.new

  # Why a graphql or fetch has no answer.
  class EffectError < StandardError; end

  # What the API has answered with errors.
  class GraphqlError < EffectError
    attr_reader :errors, :data

    def initialize(errors, data)
      super(errors.map { |error| error["message"] }.join("\n"))
      @errors, @data = errors, data
    end
  end

  def self.send_frame(head, body = "")
    text = JSON.generate(head)
    WRITING.synchronize { TARGET.write([text.bytesize, body.bytesize].pack("NN"), text, body) }
  end

  def self.receive
    lengths = SOURCE.read(8)
    exit!(0) if lengths.nil? || lengths.bytesize < 8
    head, body = lengths.unpack("NN")
    [JSON.parse(SOURCE.read(head)), SOURCE.read(body) || "".b]
  end

  # What a run leaves behind is no part of the next.
  def self.current?(run) = run.equal?(@current)

  # Asks the broker, through the executor.
  def self.call(run, head, body = "")
    raise EffectError, "Only the process that runs the function can call graphql and fetch." if Process.pid != OWN
    CALLING.synchronize do
      raise EffectError, "The run is over." unless current?(run)
      @calls = (@calls || 0) + 1
      send_frame({ **head, call: @calls }, body)
      loop do
        reply, answer = receive
        next unless reply["kind"] == "reply" && reply["call"] == @calls
        raise EffectError, reply["error"]["message"] if reply["error"]
        return [reply, answer]
      end
    end
  end

  def self.say(level, text)
    utf8(text).split("\n", -1).each { |line| send_frame({ kind: "log", level: level, text: line[0, 10_000] }) }
  end

  # Bytes of whatever encoding, as a text that can be sent.
  def self.utf8(text)
    text = text.to_s
    text = text.dup.force_encoding("UTF-8") if text.encoding == Encoding::BINARY
    text.encode("UTF-8", invalid: :replace, undef: :replace).scrub
  end

  # What is printed becomes lines of the log.
  class Lines
    def initialize(level)
      @level, @rest = level, "".b
    end

    def write(*texts)
      *lines, @rest = texts.reduce(@rest) { |all, text| all + text.to_s.b }.split("\n", -1)
      @rest ||= "".b
      lines.each { |line| Tendril.say(@level, line.empty? ? " " : line) }
      texts.sum { |text| text.to_s.bytesize }
    end

    def <<(text)
      write(text)
      self
    end

    def print(*values) = write(*values)
    def printf(format, *values) = write(format(format, *values))

    def puts(*values)
      values = [""] if values.empty?
      values.flatten.each { |value| write(value.to_s.end_with?("\n") ? value.to_s : "#{value}\n") }
      nil
    end

    def finish
      write("\n") unless @rest.empty?
    end

    def sync = true
    def sync=(value); end
    def flush = self
    # A logger takes for the name of a file what it could not close.
    def close; end
    def fileno = 2
    def tty? = false
    alias isatty tty?
  end

  module Message
    def text = body.dup.force_encoding("UTF-8")
    def json = JSON.parse(text)
  end

  Request = Struct.new(:method, :url, :headers, :body, :path, :query) { include Message }
  FetchResponse = Struct.new(:status, :headers, :body) do
    include Message
    def ok? = status.between?(200, 299)
  end
  Response = Struct.new(:body, :status, :headers)

  class Responses
    def json(value, status: 200, headers: {}) = as("application/json", JSON.generate(value), status, headers)
    def text(text, status: 200, headers: {}) = as("text/plain; charset=utf-8", text.to_s, status, headers)
    def binary(bytes, status: 200, headers: {}) = as("application/octet-stream", bytes, status, headers)
    # Chunks are anything with `each`.
    def stream(chunks, status: 200, headers: {}) = as("application/octet-stream", chunks, status, headers)
    def empty(status: 204, headers: {}) = Response.new("", status, Tendril.names(headers))
    def redirect(url, status: 302, headers: {}) = Response.new("", status, { **Tendril.names(headers), "location" => url })

    private

    def as(type, body, status, headers)
      Response.new(body, status, { "content-type" => type, **Tendril.names(headers) })
    end
  end

  def self.names(headers) = headers.to_h { |name, value| [name.to_s.downcase, value.to_s] }

  class Context
    attr_reader :req, :res, :env

    def initialize(head, body)
      path, query = head["url"].split("?", 2)
      pairs = URI.decode_www_form(query || "").to_h
      @req = Request.new(head["method"], head["url"], head["headers"], body, path, pairs)
      @res, @env = Responses.new, head["variables"]
    end

    def log(*values) = say("log", values)
    def error(*values) = say("error", values)

    # What the project's own API answers, its data. Raises a GraphqlError on errors.
    def graphql(query, variables = {})
      answer = JSON.parse(Tendril.call(self, { kind: "graphql", query: query.to_s, variables: variables })[1])
      raise GraphqlError.new(answer["errors"], answer["data"]) if answer["errors"]&.any?
      answer["data"]
    end

    def fetch(url, method: "GET", headers: {}, body: "", json: nil)
      headers = Tendril.names(headers)
      headers["content-type"] ||= "application/json" unless json.nil?
      body = JSON.generate(json) unless json.nil?
      reply, answer = Tendril.call(self, { kind: "fetch", method: method, url: url.to_s, headers: headers }, body)
      FetchResponse.new(reply["status"], reply["headers"], answer)
    end

    private

    def say(level, values) = Tendril.current?(self) && Tendril.say(level, shown(values))

    def shown(values)
      values.map { |value| value.is_a?(String) ? value : (JSON.generate(value) rescue value.inspect) }.join(" ")
    end
  end

  def self.memory = File.read("/proc/self/statm").split[1].to_i * 4096

  def self.load_function(entrypoint)
    return if @loaded
    Dir.glob("vendor/bundle/**/gems/*/lib").each { |path| $LOAD_PATH.unshift(File.expand_path(path)) }
    $LOAD_PATH.unshift(Dir.pwd)
    Kernel.load(File.expand_path(entrypoint))
    raise NameError, "#{entrypoint} has no method main(context)." unless Object.private_method_defined?(:main)
    @loaded = true
  end

  def self.answer(response, is_streamed)
    head = { status: response.status, headers: response.headers }
    body = response.body
    unless body.is_a?(String)
      send_frame({ kind: "head", **head }) if is_streamed
      all = +"".b
      body.each { |chunk| is_streamed ? send_frame({ kind: "chunk" }, chunk.to_s) : all << chunk.to_s.b }
      body = all
    end
    end_run({ kind: "end", **head }, body)
  end

  def self.fail_with(reason, message, stack = nil)
    end_run({ kind: "failed", reason: reason, message: utf8(message)[0, 65_536], stack: stack && utf8(stack)[0, 65_536] })
  end

  # Tells how the run has ended. A thread that still waits for a reply would take the next run for it: this process ends then.
  def self.end_run(head, body = "")
    exit!(0) if Process.pid != OWN
    [$stdout, $stderr].each { |lines| lines.finish if lines.is_a?(Lines) }
    @current = nil
    is_last = CALLING.locked?
    send_frame({ **head, memoryBytes: memory, isLast: is_last }, body)
    exit!(0) if is_last
  end

  def self.run(head, body)
    ENV.replace(KNOWN.merge(head["variables"]))
    load_function(head["entrypoint"])
    @current = Context.new(head, body)
    response = TOPLEVEL_BINDING.receiver.__send__(:main, @current)
    unless response.is_a?(Response)
      return fail_with("INVALID_ANSWER", "The function returned #{response.class}: return context.res.json(…), or another of res.")
    end
    answer(response, head["isStreamed"])
  rescue SystemExit
    raise
  rescue Exception => error
    own = (error.backtrace || []).reject { |line| line.start_with?("/tendril/", "<internal:") }
    stack = "#{error.class}: #{error.message}\n#{own.map { |line| "  at #{line.delete_prefix("#{Dir.pwd}/")}" }.join("\n")}"
    fail_with("THREW", "#{error.class}: #{error.message}", stack)
  end

  KNOWN = ENV.to_h
  OWN = Process.pid
end

$stdout, $stderr = Tendril::Lines.new("log"), Tendril::Lines.new("error")
Tendril.send_frame({ kind: "ready" })
loop do
  head, body = Tendril.receive
  next unless head["kind"] == "run"
  Tendril.run(head, body)
end
