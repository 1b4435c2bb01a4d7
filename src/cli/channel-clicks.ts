/**
 * `shoal channel track-clicks`: whether the clicks of a LINE channel's sends through the gateway are counted.
 */
import { Argument, type Command } from 'commander';
import { trackClicks } from '../bots/channels.ts';
import type { CommandContext } from './context.ts';

/** Adds the command to `shoal channel`. */
export function addClicksCommand(channel: Command, context: CommandContext): void {
  channel
    .command('track-clicks')
    .description(
      'Count the clicks of a LINE channel: URLs of its sends through Shoal become links of Shoal. A send with the header ' +
        'X-Shoal-Track-Clicks decides for itself. Needs SHOAL_PUBLIC_URL.',
    )
    .argument('<bot>', 'bot id')
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .option('--json', 'print one JSON object')
    .action(async (botId: string, state: string, { json }: { json?: boolean }) => {
      const isOn = state === 'on';
      await context.withDatabase((sql) => trackClicks(sql, { botId, isOn, now: context.clock() }));
      context.out(
        json ? JSON.stringify({ botId, trackClicks: isOn }) : `Clicks are ${isOn ? '' : 'not '}counted.`,
      );
    });
}
