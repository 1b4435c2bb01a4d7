/**
 * All operations of the management API by their ids.
 */
import { type Cost, Passwords, usualCost } from '../../auth/passwords.ts';
import { botOperations } from './bots.ts';
import { callbackOperations } from './callback.ts';
import { channelOperations } from './channels.ts';
import { openChatSocket, type SocketSources } from './chat-socket.ts';
import { type ChatSources, chatOperations } from './chats.ts';
import { contactStoryOperations } from './contact-story.ts';
import { contactOperations } from './contacts.ts';
import { conversationOperations } from './conversations.ts';
import { deliveryOperations } from './deliveries.ts';
import { type ExportSources, exportOperations } from './exports.ts';
import { figureOperations } from './figures.ts';
import { healthOperations } from './health.ts';
import { importOperations } from './imports.ts';
import { jobOperations } from './jobs.ts';
import { lineOperations } from './line.ts';
import { messageOperations } from './messages.ts';
import type { Operations, Sources } from './operation.ts';
import { pointOperations } from './points.ts';
import { recordOperations } from './records.ts';
import { sessionOperations } from './sessions.ts';
import { tagOperations } from './tags.ts';
import { tokenOperations } from './tokens.ts';
import { userOperations } from './users.ts';

export type AllSources = Sources &
  ExportSources &
  ChatSources &
  SocketSources & {
    /** The cost of a password's hash, if it is not the usual one. */
    passwordCost?: Cost;
  };

export function managementOperations({ passwordCost: cost = usualCost, ...sources }: AllSources): Operations {
  const passwords = new Passwords({ random: sources.random, cost });
  return {
    ...botOperations(sources),
    ...callbackOperations(sources),
    ...channelOperations(sources),
    ...chatOperations(sources),
    ...contactOperations(sources),
    ...contactStoryOperations(sources),
    ...conversationOperations(sources),
    ...deliveryOperations(sources),
    ...exportOperations(sources),
    ...figureOperations(sources),
    ...healthOperations(sources),
    ...importOperations(sources),
    ...jobOperations(sources),
    ...lineOperations(sources),
    ...messageOperations(sources),
    ...pointOperations(sources),
    ...recordOperations(sources),
    ...sessionOperations({ ...sources, passwords }),
    ...tagOperations(sources),
    ...tokenOperations(sources),
    ...userOperations({ ...sources, passwords }),
    openChatSocket: { openSocket: (socket, request) => openChatSocket(socket, request, sources) },
  };
}
