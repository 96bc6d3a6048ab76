import type { Command } from 'commander';

/** One for each command, shown by its --help: what follows `npm run orders -- `. A test holds them against the commands. */
const EXAMPLES: Record<string, string> = {
  migrate: 'migrate',
  'temporal setup': 'temporal setup',
  'merchant list': '--json merchant list',
  'merchant show': 'merchant show acme',
  'merchant add': 'merchant add acme --name "Acme Tea" --four-eyes on',
  'merchant set': 'merchant set acme --on-delivery-failure ask',
  'merchant offer': 'merchant offer acme wechatpay.native --currency CNY --max 5000000',
  'merchant withdraw': 'merchant withdraw acme wechatpay.h5',
  'key list': 'key list acme',
  'key add': 'key add acme --name shop --scopes orders:read orders:write payments:write',
  'key revoke': 'key revoke key_0123456789abcdef01',
  'operator list': 'operator list acme',
  'operator add': 'operator add acme --name "Ann Lee" --scopes orders:read refunds:review',
  'account list': 'account list acme',
  'account set': 'account set acme wechatpay /etc/orders/acme-wechatpay.json',
  'account check': 'account check acme wechatpay',
  'endpoint list': 'endpoint list acme',
  'endpoint add': 'endpoint add acme https://shop.example.com/hooks --types order.paid refund.succeeded',
  'endpoint rotate': 'endpoint rotate whe_0123456789abcdefghjk --overlap 3600',
  'endpoint disable': 'endpoint disable whe_0123456789abcdefghjk',
  'endpoint enable': 'endpoint enable whe_0123456789abcdefghjk',
  'endpoint remove': 'endpoint remove whe_0123456789abcdefghjk',
  'application list': 'application list acme',
  'application add': 'application add acme --name lobby --machines 16327129 16327130',
  'application machines': 'application machines ds_0123456789abcdef01 16327129',
  'application secret': 'application secret ds_0123456789abcdef01',
  'application revoke': 'application revoke ds_0123456789abcdef01',
  'course user list': 'course user list acme',
  'course user add': 'course user add acme --name 王小二 --role student',
  'course user token': 'course user token 1002',
  'course user revoke': 'course user revoke 1002',
  'course album list': 'course album list acme',
  'course album add': 'course album add acme --teacher 1001 --title 我的直播课 --price 9900',
  'course album set': 'course album set 1001 --price 19900',
  'machine secret': 'machine secret',
  'machine set': 'machine set acme https://machines.example.com file:/etc/orders/machines.secret',
  'machine rotate': 'machine rotate acme file:/etc/orders/machines-2.secret',
  'machine settle': 'machine settle acme',
  'machine show': 'machine show acme',
  'order show': 'order show 1042',
  refunds: 'refunds',
  attention: '--json attention',
  retry: 'retry 1042',
  reconcile: 'reconcile --merchant acme --provider alipay --day 2026-01-31',
  'findings list': 'findings list --merchant acme --all',
  'findings close': 'findings close fnd_0123456789abcdef0123 --by "Ann Lee" --note "paid back by hand"',
  ledger: '--json ledger --merchant acme --from 2026-01-01 --to 2026-01-31',
};

/** Commands that do something, with their whole names. */
export function leavesOf(command: Command, path: readonly string[] = []): { name: string; command: Command }[] {
  const own = command.commands.filter((one) => one.name() !== 'help');
  if (own.length === 0) return [{ name: path.join(' '), command }];
  return own.flatMap((one) => leavesOf(one, [...path, one.name()]));
}

export function addExamples(program: Command): void {
  for (const { name, command } of leavesOf(program)) {
    const example = EXAMPLES[name];
    if (example !== undefined) command.addHelpText('after', `\nExample:\n  npm run orders -- ${example}`);
  }
}
