import { newId } from '../lib/ids.ts'

type Sent = { from: string; to: string; subject: string; html: string; text: string; messageId: string }

export type Kept = Sent & { id: string; at: Date }

/** What would have been sent, on the machine of somebody who has no mail server. It is gone with the process. */
export type Inbox = { add: (mail: Sent) => void; mails: () => readonly Kept[] }

const most = 100

export function createInbox(): Inbox {
  let mails: Kept[] = []
  return {
    add: (mail) => {
      mails = [{ ...mail, id: newId('box'), at: new Date() }, ...mails].slice(0, most)
    },
    mails: () => mails,
  }
}
