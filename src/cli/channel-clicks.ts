/**
 * `shoal channel track-clicks`: click counting for a LINE channel's sends through the gateway.
 */
import { Argument, type Command } from 'commander';
import { trackClicks } from '../bots/channels.ts';
import type { CommandContext } from './context.ts';
import { botCommand } from './data-command.ts';

/** Adds the command to `shoal channel`. */
export function addClicksCommand(channel: Command, context: CommandContext): void {
  botCommand(
    channel,
    context,
    'track-clicks',
    "Count clicks of a LINE channel: replaces URLs in sends through Shoal by Shoal's links. A send's header " +
      'X-Shoal-Track-Clicks overrides this. Needs SHOAL_PUBLIC_URL.',
  )
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .answer((botId: string, state: string) => async (sql) => {
      const isOn = state === 'on';
      await trackClicks(sql, { botId, isOn, now: context.clock() });
      return { json: { botId, trackClicks: isOn }, text: `Clicks are ${isOn ? '' : 'not '}counted.` };
    });
}
