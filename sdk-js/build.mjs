// Makes dist/ (modules and types, for bundlers and Node) and miniprogram_dist/
// (what WeChat's developer tools copy by 构建 npm).

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

for (const [project, folder] of [['tsconfig.json', 'dist'], ['tsconfig.miniprogram.json', 'miniprogram_dist']]) {
  rmSync(here(folder), { recursive: true, force: true });
  execFileSync(process.execPath, [tsc, '--project', here(project)], { stdio: 'inherit' });
}
// Node takes .js files for CommonJS, unless it is told.
writeFileSync(here('dist/package.json'), '{ "type": "module" }\n');
// A package is published with its licenses.
for (const license of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(here(`../${license}`), here(license));
