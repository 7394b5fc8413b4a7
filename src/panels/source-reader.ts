import { panelOf, type PanelKey } from '../domain/panel.ts';
import type { Sql } from '../repositories/db.ts';
import { panelSources, type PanelSourceRow } from '../repositories/panel-sources.ts';

/** What several panels of one organization ask for together. */
interface Turn {
  readonly panels: Set<PanelKey>;
  readonly rows: Promise<readonly PanelSourceRow[]>;
}

/** Reads the sources of panels: those that an organization's panels ask for in one turn come by one statement. */
export class SourceReader {
  readonly #sql: Sql;
  readonly #turns = new Map<string, Turn>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async read(organizationId: string, panel: PanelKey): Promise<PanelSourceRow[]> {
    const turn = this.#turns.get(organizationId) ?? this.#open(organizationId);
    turn.panels.add(panel);
    return (await turn.rows).filter(({ feed }) => panelOf(feed) === panel);
  }

  #open(organizationId: string): Turn {
    const panels = new Set<PanelKey>();
    const rows = Promise.resolve().then(() => {
      this.#turns.delete(organizationId);
      return panelSources(this.#sql, organizationId, [...panels]);
    });
    const turn = { panels, rows };
    this.#turns.set(organizationId, turn);
    return turn;
  }
}
