import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A real SMTP server as far as one mail goes. It keeps what it is told, and answers what a test wants. */
export async function createSmtpServer() {
  const smtp = {
    url: '',
    port: 0,
    /** What it answers, by the first word of the command; `.` is the end of a mail. Empty: it hangs up. */
    answers: {} as Record<string, string>,
    /** How long it takes over the end of a mail. */
    afterMs: 0,
    commands: [] as string[],
    mails: [] as string[],
    connections: 0,
    open: new Set<Socket>(),
    /** The commands that begin so. */
    said: (verb: string) => smtp.commands.filter((line) => line.startsWith(verb)),
    close: () => {
      for (const socket of smtp.open) socket.destroy()
      server.close()
    },
  }
  const usual: Record<string, string> = {
    EHLO: '250-test\r\n250 AUTH PLAIN',
    AUTH: '235 welcome',
    DATA: '354 go',
    '.': '250 queued',
    QUIT: '221 bye',
  }
  const server = createServer((socket) => {
    smtp.connections += 1
    smtp.open.add(socket)
    let late: NodeJS.Timeout | undefined
    socket
      .on('error', () => {})
      .on('close', () => {
        smtp.open.delete(socket)
        clearTimeout(late)
      })
    const say = (verb: string) => {
      const text = smtp.answers[verb] ?? usual[verb] ?? '250 ok'
      if (text === '') return socket.destroy()
      socket.write(`${text}\r\n`)
    }
    socket.write(`${smtp.answers.greeting ?? '220 test'}\r\n`)
    let mail: string[] | null = null
    const take = (line: string) => {
      if (mail && line === '.') {
        smtp.mails.push(mail.join('\r\n'))
        mail = null
        late = setTimeout(() => say('.'), smtp.afterMs)
        return
      }
      if (mail) return void mail.push(line)
      if (line === '') return
      smtp.commands.push(line)
      const [verb = ''] = line.split(' ')
      say(verb)
      if (verb === 'DATA' && !smtp.answers.DATA) mail = []
    }
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  smtp.port = (server.address() as AddressInfo).port
  smtp.url = `smtp://127.0.0.1:${smtp.port}`
  return smtp
}
