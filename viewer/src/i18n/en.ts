import ui from '../../i18n/en.json';
import match from '../../i18n/parts/match.en.json';
import type { Dictionary } from './fr';

const en: Dictionary = { ...ui, ...match };
export default en;
