import { Option, type Command } from 'commander';
import { addMerchant, changeMerchant, listMerchants } from '../db/administration.ts';
import type { Merchant } from '../db/keys.ts';
import type { MerchantSettings } from '../db/schema.ts';
import { LIMITS } from '../domain/limits.ts';
import { METHODS, methodTerms, takesCurrency, type PaymentMethod } from '../domain/method.ts';
import { withDatabase } from './database.ts';
import { merchantNamed, noMerchant } from './named.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

type Terms = { name?: string; fourEyes?: 'on' | 'off'; onDeliveryFailure?: 'refund' | 'ask' | 'default' };
type OfferTerms = { currency: string[]; min?: number; max?: number };

/** `merchant …`: who sells, by which rules, and what their customers may pay with. */
export function merchantCommands(parent: Command, answering: Answering): void {
  const merchant = parent.command('merchant').description('merchants, their rules and the methods on offer');
  merchant
    .command('list')
    .description('all merchants')
    .action(answering(() => withDatabase(async (db) => tableOf(await listMerchants(db)))));
  merchant.command('show <id>').description('one merchant, with what it offers').action(answering(show));
  withTerms(merchant.command('add <id>').description('a new merchant; offers nothing until `merchant offer`')).action(
    answering(add),
  );
  withTerms(merchant.command('set <id>').description('changes name or rules; counts within seconds')).action(
    answering(set),
  );
  merchant
    .command('offer <id> <method>')
    .description('offers a payment method, or changes how')
    .requiredOption('--currency <codes...>', 'in which currencies (ISO 4217)')
    .option('--min <amount>', 'from which total on, in minor units', minorUnits)
    .option('--max <amount>', 'up to which total, in minor units', minorUnits)
    .action(answering(offer));
  merchant
    .command('withdraw <id> <method>')
    .description('offers a payment method no more; open attempts go on')
    .action(answering(withdraw));
}

const withTerms = (command: Command): Command =>
  command
    .option('--name <name>', 'how people call it')
    .addOption(
      new Option('--four-eyes <on|off>', 'whoever applied for a refund can not decide it').choices(['on', 'off']),
    )
    .addOption(
      new Option('--on-delivery-failure <what>', 'money back by itself, or a person decides').choices([
        'refund',
        'ask',
        'default',
      ]),
    );

const show = (id: string): Promise<Answer> => withDatabase(async (db) => described(await merchantNamed(db, id)));

const add = (id: string, terms: Terms): Promise<Answer> =>
  withDatabase(async (db) => {
    if (!/^[a-z0-9][\w.-]{0,99}$/.test(id))
      throw new UsageError(`"${id}" is no merchant id: small letters, digits, "_", "." and "-", at most 100.`);
    const settings = withRules({ four_eyes: true, on_delivery_failure: null, methods: [] }, terms);
    const merchant = { id, name: nameIn(terms) ?? id, settings };
    if (!(await addMerchant(db, merchant))) throw new UsageError(`There is a merchant ${id} already.`);
    return described(merchant);
  });

const set = (id: string, terms: Terms): Promise<Answer> =>
  changed(id, ({ name, settings }) => ({ name: nameIn(terms) ?? name, settings: withRules(settings, terms) }));

const offer = (id: string, method: string, terms: OfferTerms): Promise<Answer> => {
  const name = methodNamed(method);
  const [currencies, min, max] = [terms.currency.map(currencyNamed), terms.min, terms.max];
  const wrong = currencies.find((one) => !takesCurrency(name, one));
  if (wrong !== undefined) {
    const takes = methodTerms(name).currencies?.join(', ');
    throw new UsageError(`${name} can not be paid in ${wrong}; it takes ${takes}.`);
  }
  if (min !== undefined && max !== undefined && min > max) throw new UsageError('--min is more than --max.');
  const offered = {
    method: name,
    currencies,
    ...(min !== undefined && { min_amount: min }),
    ...(max !== undefined && { max_amount: max }),
  };
  return changed(id, ({ name: merchant, settings }) => ({
    name: merchant,
    settings: { ...settings, methods: [...settings.methods.filter((one) => one.method !== name), offered] },
  }));
};

const withdraw = (id: string, method: string): Promise<Answer> => {
  const name = methodNamed(method);
  return changed(id, ({ name: merchant, settings }) => ({
    name: merchant,
    settings: { ...settings, methods: settings.methods.filter((one) => one.method !== name) },
  }));
};

const changed = (id: string, change: (merchant: Merchant) => Pick<Merchant, 'name' | 'settings'>): Promise<Answer> =>
  withDatabase(async (db) => {
    const merchant = await changeMerchant(db, id, change);
    if (!merchant) throw noMerchant(id);
    return described(merchant);
  });

function withRules(settings: MerchantSettings, { fourEyes, onDeliveryFailure }: Terms): MerchantSettings {
  const failure = onDeliveryFailure === 'default' ? null : onDeliveryFailure;
  return {
    ...settings,
    four_eyes: fourEyes === undefined ? settings.four_eyes : fourEyes === 'on',
    on_delivery_failure: failure === undefined ? settings.on_delivery_failure : failure,
  };
}

function nameIn({ name }: Terms): string | undefined {
  if (name === undefined || (name.trim() !== '' && name.length <= LIMITS.textLength)) return name;
  throw new UsageError(`--name has 1 to ${LIMITS.textLength} characters.`);
}

function methodNamed(name: string): PaymentMethod {
  if (Object.hasOwn(METHODS, name)) return name as PaymentMethod;
  throw new UsageError(`There is no method ${name}. There are: ${Object.keys(METHODS).join(', ')}.`);
}

function currencyNamed(code: string): string {
  if (Intl.supportedValuesOf('currency').includes(code)) return code;
  throw new UsageError(`${code} is no ISO 4217 currency, in three capital letters.`);
}

function minorUnits(text: string): number {
  const amount = Number(text);
  if (/^\d{1,11}$/.test(text) && amount <= LIMITS.amount) return amount;
  throw new UsageError(`"${text}" is no amount: a whole number of minor units, at most ${LIMITS.amount}.`);
}

const tableOf = (merchants: readonly Merchant[]): Answer => ({
  rows: merchants.map(({ id, name, settings }) => ({
    id,
    name,
    four_eyes: settings.four_eyes,
    on_delivery_failure: settings.on_delivery_failure ?? 'default',
    methods: settings.methods.map(({ method }) => method),
  })),
  none: 'There are no merchants. Add one: merchant add <id>',
});

function described({ id, name, settings }: { id: string; name: string; settings: MerchantSettings }): Answer {
  const offers = settings.methods.map(({ method, currencies, min_amount: min, max_amount: max }) => {
    const limits = min === undefined && max === undefined ? '' : `, ${min ?? 1} to ${max ?? 'any'} in minor units`;
    return `  ${method}: ${currencies.join(' ')}${limits}`;
  });
  const lines = [
    `${id}: ${name}`,
    `four eyes: ${settings.four_eyes ? 'on' : 'off'}; failed deliveries: ${settings.on_delivery_failure ?? 'default'}`,
    ...(offers.length > 0 ? ['offers', ...offers] : ['offers nothing yet: merchant offer']),
  ];
  return { text: lines.join('\n'), data: { id, name, ...settings } };
}
