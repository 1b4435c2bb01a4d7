/** The number of unread live chat messages of the shown bot, for the menu and the title of every page. */
import { signal } from '@preact/signals';

export const unreadMessages = signal(0);
