/** What server-sent events tell, one after the other, until the stream ends. */
export async function* readEvents<Told>(body: NonNullable<Response['body']>): AsyncGenerator<Told> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const line = event.split('\n').find((part) => part.startsWith('data:'))
      if (line && line !== 'data:') yield JSON.parse(line.slice(5))
    }
  }
}
