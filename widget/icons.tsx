/** The widget's icons, in the colour of the surrounding text. They are decorative: labels have the same meaning. */
import type { ComponentChildren, JSX } from 'preact';

function Icon({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <svg
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const ChatIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 4c5 0 9 3.1 9 7.2s-4 7.2-9 7.2c-1 0-2-.1-2.9-.4L4.5 20l1-3.700C3.9 15 3 13.2 3 11.2 3 7.1 7 4 12 4z" />
    <path d="M8 11.200h.01M12 11.200h.01M16 11.200h.01" stroke-width="2.6" />
  </Icon>
);

export const CloseIcon = (): JSX.Element => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const SendIcon = (): JSX.Element => (
  <Icon>
    <path d="M12 19V5M5.5 11.500L12 5l6.5 6.5" />
  </Icon>
);

export const ImageIcon = (): JSX.Element => (
  <Icon>
    <rect x="3.5" y="4.5" width="17" height="15" rx="3" />
    <circle cx="9" cy="10" r="1.5" />
    <path d="M4.5 17.500l4.5-4 3.5 3 3-2.7 4.5 3.7" />
  </Icon>
);

export const DownIcon = (): JSX.Element => (
  <Icon>
    <path d="M6 9.500l6 6 6-6" />
  </Icon>
);
