/**
 * Keeps the widget on the page when scripts such as Turbo, PJAX or a view transition replace the page's body or what is in it.
 */

/** Puts the element into the body, as soon as there is one, and again whenever it is taken out. */
export function keepInBody(element: HTMLElement): void {
  // Not at once: two scripts that disagree must not stop the page.
  const observer = new MutationObserver(() => setTimeout(place));
  const place = (): void => {
    const { body, documentElement } = document;
    observer.disconnect();
    if (body) {
      // A copy of a page, kept to show it again, holds a copy of the element without its content.
      for (const copy of body.querySelectorAll(element.localName)) if (copy !== element) copy.remove();
      if (!element.isConnected) body.append(element);
      observer.observe(body, { childList: true });
    }
    observer.observe(documentElement, { childList: true });
  };
  place();
}
