/**
 * All operations of the management API by their ids.
 */
import { alertOperations } from './alerts.ts';
import { annotationOperations } from './annotations.ts';
import { auditLogOperations } from './audit-log.ts';
import { botOperations } from './bots.ts';
import { callbackOperations } from './callback.ts';
import { channelOperations } from './channels.ts';
import { openChatSocket } from './chat-socket.ts';
import { chatTeamOperations } from './chat-team.ts';
import { chatOperations } from './chats.ts';
import { checkOperations } from './checks.ts';
import { contactOperations } from './contacts.ts';
import { conversationOperations } from './conversations.ts';
import { deliveryOperations } from './deliveries.ts';
import { exportOperations } from './exports.ts';
import { figureOperations } from './figures.ts';
import { giftOperations } from './gifts.ts';
import { healthOperations } from './health.ts';
import { importOperations } from './imports.ts';
import { jobOperations } from './jobs.ts';
import { lineOperations } from './line.ts';
import { mailReportOperations } from './mail-reports.ts';
import { mantagoOperations } from './mantago.ts';
import type { Operations, Sources } from './operation.ts';
import { platformFigureOperations } from './platform-figures.ts';
import { pointOperations } from './points.ts';
import { recordOperations } from './records.ts';
import { searchOperations } from './search.ts';
import { sendOperations } from './sends.ts';
import { sessionOperations } from './sessions.ts';
import { tagOperations } from './tags.ts';
import { templateOperations } from './templates.ts';
import { tokenOperations } from './tokens.ts';
import { userOperations } from './users.ts';

export function managementOperations(sources: Sources): Operations {
  return {
    ...alertOperations(sources),
    ...auditLogOperations(sources),
    ...annotationOperations(sources),
    ...botOperations(sources),
    ...callbackOperations(sources),
    ...channelOperations(sources),
    ...chatOperations(sources),
    ...chatTeamOperations(sources),
    ...checkOperations(sources),
    ...contactOperations(sources),
    ...conversationOperations(sources),
    ...deliveryOperations(sources),
    ...exportOperations(sources),
    ...figureOperations(sources),
    ...giftOperations(sources),
    ...healthOperations(sources),
    ...importOperations(sources),
    ...jobOperations(sources),
    ...lineOperations(sources),
    ...mailReportOperations(sources),
    ...mantagoOperations(sources),
    ...platformFigureOperations(sources),
    ...pointOperations(sources),
    ...recordOperations(sources),
    ...searchOperations(sources),
    ...sendOperations(sources),
    ...sessionOperations(sources),
    ...tagOperations(sources),
    ...templateOperations(sources),
    ...tokenOperations(sources),
    ...userOperations(sources),
    openChatSocket: { openSocket: (socket, request) => openChatSocket(socket, request, sources) },
  };
}
