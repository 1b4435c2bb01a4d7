/** Keys and pastes in a composer of messages; the dashboard uses the same rules. */

/** True for an Enter that sends. During composition Enter belongs to the input method; Safari then reports key code 229. */
export function isSubmitKey(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** The images of a paste. */
export function pastedImages({ clipboardData }: ClipboardEvent): File[] {
  return [...(clipboardData?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
}
