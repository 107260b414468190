declare module 'mjml' {
  type Options = { validationLevel?: 'strict' | 'soft' | 'skip'; filePath?: string; fonts?: Record<string, string> }
  type Result = { html: string; errors: { formattedMessage: string }[] }
  export default function mjml2html(source: string, options?: Options): Promise<Result>
}
