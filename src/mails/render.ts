import { templates } from './generated/templates.ts'

export type TemplateName = keyof typeof templates

export type Rendered = { subject: string; html: string; text: string }

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Puts values where a template says `{{name}}`. They are text: escaped in HTML, and never looked into again. */
export function renderMail(name: TemplateName, values: Readonly<Record<string, string>>): Rendered {
  const { subject, html, text } = templates[name]
  const plain = (value: string) => value
  const escaped = (value: string) => value.replace(/[&<>"']/g, (character) => entities[character] ?? '')
  // A line break in a subject would begin another header.
  const oneLine = (value: string) => value.replace(/[\r\n]+/g, ' ')
  return {
    subject: fill(subject, values, oneLine),
    html: fill(html, values, escaped),
    text: fill(text, values, plain),
  }
}

function fill(template: string, values: Readonly<Record<string, string>>, write: (value: string) => string): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_match, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new Error(`The mail needs a value for {{${name}}}.`)
    return write(value)
  })
}
