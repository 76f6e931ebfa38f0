// All that shows and makes changes of gates, which a page fetches when it is first needed.
import { AnswerChange } from './answer.js';
import { ChangesBar } from './bar.js';
import { BarMarks, settingBars } from './bars.js';
import { BrushTools, isPainting, MapBrush, settingCells } from './brush.js';
import { ChannelPanel } from './channel_panel.js';
import { markedDiagram } from './edited_nodes.js';
import { EditedNote } from './note.js';
import { givingGates, takingGates } from './patching.js';
import { Stairs } from './stairs.js';
import { changeInWords, hasSwitches, Switches } from './switches.js';
import { changesInWords } from './words.js';

export const tools = {
  AnswerChange,
  BarMarks,
  BrushTools,
  changeInWords,
  ChangesBar,
  changesInWords,
  ChannelPanel,
  EditedNote,
  givingGates,
  hasSwitches,
  isPainting,
  MapBrush,
  markedDiagram,
  settingBars,
  settingCells,
  Stairs,
  Switches,
  takingGates,
};
