/** The text without a secret and its URL-encoded form, each replaced by "…". Call it before the text is cut. */
export function redact(text: string, secret: string): string {
  return text.replaceAll(secret, '…').replaceAll(encodeURIComponent(secret), '…');
}
