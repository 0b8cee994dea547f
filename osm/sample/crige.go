package sample

import (
	"math"
	"time"
)

// note is what every file of the sample says of itself, in the places that
// have room for it.
const note = "Données fictives, produites par le générateur d'exemple de Calanque : aucune commune, aucun équipement, aucune mesure de ces fichiers n'existe.\r\n"

func waterFile(records []*record, today time.Time) (*shapefile, error) {
	s := newShapefile(1, today,
		dbfField{"ID_PE", 'C', 10, 0}, dbfField{"NOM", 'C', 80, 0}, dbfField{"NATURE", 'C', 20, 0}, dbfField{"POTABLE", 'C', 1, 0},
		dbfField{"SERVICE", 'C', 24, 0}, dbfField{"GESTION", 'C', 40, 0}, dbfField{"ADRESSE", 'C', 90, 0}, dbfField{"INSEE", 'C', 5, 0},
		dbfField{"COMMUNE", 'C', 60, 0}, dbfField{"QUALITE_XY", 'C', 10, 0}, dbfField{"DATE_MAJ", 'D', 8, 0})
	for _, r := range records {
		p := r.place
		err := s.add(r.point(), r.key, r.name, r.nature, r.potable, p.season, p.operator, r.address, p.c.insee, p.c.name, r.quality, r.date)
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func facilityFile(records []*record, today time.Time) (*shapefile, error) {
	s := newShapefile(1, today,
		dbfField{"ID_EQUIP", 'C', 10, 0}, dbfField{"NOM", 'C', 80, 0}, dbfField{"TYPE", 'C', 4, 0}, dbfField{"LIB_TYPE", 'C', 40, 0},
		dbfField{"ADRESSE", 'C', 90, 0}, dbfField{"CP", 'C', 5, 0}, dbfField{"INSEE", 'C', 5, 0}, dbfField{"COMMUNE", 'C', 60, 0},
		dbfField{"TELEPHONE", 'C', 20, 0}, dbfField{"SITE_WEB", 'C', 120, 0}, dbfField{"CODE_UAI", 'C', 8, 0}, dbfField{"CAPACITE", 'N', 5, 0},
		dbfField{"QUALITE_XY", 'C', 10, 0}, dbfField{"DATE_MAJ", 'D', 8, 0})
	s.language = 0x57
	for _, r := range records {
		p := r.place
		var capacity any
		if n := r.capacity(); n > 0 {
			capacity = n
		}
		err := s.add(r.point(), r.key, r.name, r.nature, kindLabel(r.nature), r.address, p.c.department+"9"+p.c.insee[3:], p.c.insee, p.c.name,
			r.phone, p.website, p.uai, capacity, r.quality, r.date)
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func kindLabel(code string) string {
	for _, k := range []*kind{nursery, elementary, primary, college, creche, ccas, elderly, library, mediatheque, hall, theatre, stadium, gym, pool, townHall, postOffice, police, gendarmerie, firemen} {
		if k.code == code {
			return k.label
		}
	}
	return ""
}

// point is the record's place in Lambert-93, or nothing.
func (r *record) point() []line {
	if !r.located {
		return nil
	}
	return []line{{r.at.lambert()}}
}

func communeFile(r *region, today time.Time) (*shapefile, error) {
	s := newShapefile(5, today,
		dbfField{"INSEE", 'C', 5, 0}, dbfField{"NOM", 'C', 80, 0}, dbfField{"DEPT", 'C', 2, 0}, dbfField{"EPCI", 'C', 60, 0},
		dbfField{"POPULATION", 'N', 9, 0}, dbfField{"SURF_HA", 'N', 10, 1})
	s.utf8 = true
	for _, c := range r.communes {
		rings, size := []line{c.ring.lambert()}, math.Abs(area(c.ring))
		for _, l := range c.parts {
			rings, size = append(rings, l.lambert()), size+math.Abs(area(l))
		}
		for _, i := range c.islands {
			rings, size = append(rings, r.islands[i].lambert()), size+math.Abs(area(r.islands[i]))
		}
		if err := s.add(rings, c.insee, c.name, c.department, c.epci, c.population, size/1e4); err != nil {
			return nil, err
		}
	}
	return s, nil
}
