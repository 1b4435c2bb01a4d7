/**
 * Keeps the widget on the page when scripts such as Turbo or PJAX, or a view transition, replace the page's body or its content.
 */

/** Adds the element to the body as soon as it exists, and again after every removal. */
export function keepInBody(element: HTMLElement): void {
  // Delayed, so that two competing scripts cannot block the page.
  const observer = new MutationObserver(() => setTimeout(append));
  const append = (): void => {
    const { body, documentElement } = document;
    observer.disconnect();
    if (body) {
      // A cached copy of a page contains a copy of the element without its content.
      for (const copy of body.querySelectorAll(element.localName)) if (copy !== element) copy.remove();
      if (!element.isConnected) body.append(element);
      observer.observe(body, { childList: true });
    }
    observer.observe(documentElement, { childList: true });
  };
  append();
}
