import { join } from 'node:path';
import type { Surroundings } from './parts.ts';

/** What a person wants to know once everything runs. */
export function banner({ config, ownsDatabase, temporalUiUrl }: Surroundings): string {
  const api = `http://localhost:${config.port}`;
  const rows = [
    ['API', `${api}   documentation: ${api}/docs`],
    ...(config.publicUrl === api ? [] : [['', `from outside: ${config.publicUrl}`]]),
    ['Console', `${api}/console   for operators`],
    ['Simulator', `http://localhost:${config.simulatorPort}`],
    ...(temporalUiUrl ? [['Temporal UI', temporalUiUrl]] : []),
    ['Log', join(config.dataDir, 'logs', 'orders.log')],
    ...(ownsDatabase ? DEMO_KEYS : []),
  ];
  const lines = rows.map(([name = '', text = '']) => `  ${name.padEnd(15)}${text}`);
  return ['', 'Everything runs. Ctrl-C stops it.', '', ...lines, ''].join('\n');
}

const DEMO_KEYS = [
  ['Demo merchant', 'API key sk_test_demo · operator key op_test_demo'],
  ['', 'vending: Appid ds_demo · AppSecret ds_demo_secret'],
  ['', 'courses: tokens student_demo · student2_demo · teacher_demo'],
];
