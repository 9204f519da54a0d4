// What 工具 → 构建 npm does in the developer tools, so that the project opens ready: lays each dependency's
// `miniprogram` folder under miniprogram_npm/.

import { cpSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('.', import.meta.url);
const manifest = (folder) => JSON.parse(readFileSync(new URL(`${folder}package.json`, here)));

rmSync(new URL('miniprogram/miniprogram_npm/', here), { recursive: true, force: true });
for (const name of Object.keys(manifest('').dependencies)) {
  const { miniprogram } = manifest(`node_modules/${name}/`);
  cpSync(fileURLToPath(new URL(`node_modules/${name}/${miniprogram}/`, here)), fileURLToPath(new URL(`miniprogram/miniprogram_npm/${name}/`, here)), { recursive: true });
}
