package sample

// Street names of no town in particular; each town draws its own.
var (
	streetNames = []string{
		"Rue de la République", "Rue du Four", "Rue des Tanneurs", "Rue du Lavoir", "Montée de la Chapelle", "Rue des Lavandières",
		"Rue Haute", "Rue de l'Horloge", "Traverse des Figuiers", "Rue des Pêcheurs", "Rue de la Bastide", "Rue des Cigales",
		"Chemin des Bories", "Rue du Moulin à Huile", "Rue de la Calade", "Allée des Amandiers", "Rue de la Poste", "Rue des Genêts",
		"Chemin du Belvédère", "Rue du Safran", "Rue des Arbousiers", "Rue de la Tramontane", "Avenue du Mistral", "Rue des Oursins",
		"Rue du Levant", "Chemin de la Garrigue", "Rue des Câpriers", "Rue de la Source", "Rue des Santons", "Rue du Thym",
		"Rue de la Farigoule", "Chemin des Restanques", "Rue des Romarins", "Rue du Jas", "Rue des Mûriers", "Rue du Puits",
		"Rue de la Treille", "Rue des Micocouliers", "Rue Frédéric Mistral", "Rue Jean Moulin", "Boulevard Gambetta", "Rue Victor Hugo",
		"Avenue du Général de Gaulle", "Rue Saint-Éloi", "Rue Saint-Jean", "Rue Sainte-Anne", "Rue Notre-Dame", "Boulevard Aristide Briand",
		"Rue du Docteur Roux", "Rue Émile Zola", "Rue Jules Ferry", "Rue du 8 Mai 1945", "Rue de Provence", "Avenue de Verdun",
		"Rue Paul Cézanne", "Rue du Barri", "Rue de la Fontaine Vieille", "Rue du Portalet", "Rue de l'Aire", "Chemin de la Draille",
		"Chemin du Cros", "Rue de la Glacière", "Rue du Château", "Rue des Remparts", "Allée des Lauriers-Roses", "Allée des Mimosas",
		"Allée des Cyprès", "Chemin de la Source", "Chemin des Oliviers", "Traverse du Ponant", "Rue de la Marine", "Rue des Voiliers",
		"Rue du Vallat", "Chemin de Saint-Roch", "Rue Marcel Pagnol", "Rue Alphonse Daudet", "Rue de la Liberté", "Rue Louis Pasteur",
		"Rue Pierre et Marie Curie", "Rue du Serpolet", "Rue de l'Amandier", "Rue de la Magnanerie", "Rue des Chênes", "Rue du Pigeonnier",
	}
	laneNames = []string{
		"Impasse des Lauriers", "Impasse du Four", "Impasse de la Treille", "Passage des Hirondelles", "Impasse des Câpriers", "Venelle du Puits",
		"Impasse du Jas", "Traverse de l'Église", "Impasse Saint-Antoine", "Impasse des Figuiers", "Androne du Chat", "Impasse de l'Olivette",
	}
	quarters = []string{
		"Les Aires", "Les Moulières", "Le Plan", "La Tuilière", "Les Ferrages", "La Bastide Neuve", "Les Adrets", "Saint-Roch", "La Grande Terre",
		"Le Cros", "Les Palus", "La Colle", "Le Bau Rouge", "Les Lauves", "La Vernède", "Le Deffens", "Les Costes", "Pierreplane", "Le Mas Viel",
		"La Condamine", "Les Crottes", "Font Vive", "La Rouvière", "Les Clos", "Le Paradou", "Les Iscles", "Val Fleuri", "La Bouscarle",
	}
	// patrons are names that French towns give to schools, halls and stadiums.
	patrons = []string{
		"Jean Moulin", "Jules Ferry", "Frédéric Mistral", "Marcel Pagnol", "Jean Giono", "Alphonse Daudet", "Jacques Prévert", "Victor Hugo",
		"Paul Cézanne", "Pierre Sémard", "Louis Pasteur", "Marie Curie", "Joseph Roumanille", "Jean Jaurès", "Émile Zola", "Saint-Exupéry",
		"Jean de Florette", "Simone Veil", "Olympe de Gouges", "Jean Aicard", "Théodore Aubanel", "Jean-Henri Fabre", "Général Leclerc",
		"Docteur Calmette", "Paul Arène", "Rosa Parks", "Édith Piaf", "Joséphine Baker", "Antoine Blondin", "Germaine Tillion",
	}
	poetic = []string{
		"Les Oliviers", "Les Cigales", "L'Arbousier", "Les Restanques", "La Garrigue", "Les Micocouliers", "Le Mistral", "La Farigoule",
		"Les Lavandins", "L'Amandier", "La Pinède", "Les Sablettes", "Le Cabanon", "Les Genêts d'Or", "La Magnanerie", "Les Vignerons",
		"Le Pressoir", "La Bergerie", "Les Embruns", "Le Phare", "L'Oustau", "La Calade", "Li Parpaioun", "Les Petits Pins",
	}
	fountainNames = []string{
		"Fontaine de la place aux Herbes", "Fontaine moussue du Cours", "Fontaine des Pêcheurs", "Fontaine des Lavandières",
		"Abreuvoir des Aires", "Fontaine du Portalet", "Fontaine Saint-Éloi", "Fontaine du Dauphin", "Fontaine des Quatre Saisons",
		"Fontaine du Lion", "Grande Fontaine", "Fontaine de l'Horloge", "Fontaine Sainte-Anne", "Fontaine du Griffon", "Fontaine de la Mairie",
		"Fontaine du Barri", "Lavoir de la Calade", "Fontaine Vieille", "Fontaine de l'Église", "Fontaine Saint-Jean", "Fontaine aux Mascarons",
		"Fontaine du Monument", "Fontaine Neuve", "Fontaine du Château", "Fontaine des Ormeaux", "Fontaine de la Liberté", "Fontaine du Jet d'Eau",
		"Fontaine Notre-Dame", "Fontaine du Bœuf", "Fontaine de la Poste", "Fontaine du Micocoulier", "Fontaine Saint-Roch", "Source du Vallon",
		"Fontaine de la Coquille", "Fontaine du Mûrier", "Fontaine des Tanneurs", "Fontaine du Général", "Fontaine de la Glacière",
	}
	fountainOthers = []string{
		"Fontaine de la place du Marché", "Fontaine de la Renaissance", "Fontaine des Amoureux", "Fontaine du Centenaire", "Font Bello",
		"Fontaine des Marronniers", "Fontaine de la Victoire", "Fontaine du Platane", "Fontaine Ronde", "Fontaine de Marius",
	}
	shopNames = [...]struct{ key, value, name string }{
		{"amenity", "restaurant", "Le Bistrot du Port"},
		{"amenity", "restaurant", "La Table des Calanques"},
		{"amenity", "restaurant", "L'Oursinade"},
		{"amenity", "restaurant", "Chez Fanette"},
		{"amenity", "cafe", "Café du Commerce"},
		{"amenity", "cafe", "Bar des Boulistes"},
		{"amenity", "restaurant", "Pizzeria du Cours"},
		{"amenity", "ice_cream", "Glacier des Sablettes"},
		{"amenity", "fast_food", "La Panisse"},
		{"shop", "bakery", "Au Fournil des Pins"},
		{"shop", "bakery", "La Fougasse"},
		{"shop", "bakery", "Boulangerie du Cours"},
		{"shop", "butcher", "Boucherie du Barri"},
		{"shop", "greengrocer", "Le Primeur"},
		{"shop", "supermarket", "Supérette des Aires"},
		{"shop", "hairdresser", "L'Hirondelle"},
		{"shop", "books", "Librairie de l'Horloge"},
		{"shop", "florist", "Fleurs de Garrigue"},
		{"shop", "convenience", "Épicerie du Four"},
		{"shop", "newsagent", "Maison de la Presse"},
		{"amenity", "pharmacy", "Pharmacie du Cours"},
		{"amenity", "pharmacy", "Pharmacie des Sablettes"},
		{"amenity", "pharmacy", "Pharmacie de la Gare"},
		{"amenity", "bank", "Crédit du Littoral"},
		{"tourism", "hotel", "Hôtel des Goélands"},
		{"tourism", "hotel", "Hôtel de la Plage"},
		{"amenity", "bar", "Le Cabestan"},
		{"shop", "seafood", "La Criée"},
		{"shop", "wine", "Cave des Restanques"},
		{"shop", "bicycle", "Vélos du Golfe"},
		{"craft", "pottery", "Atelier Terre Rouge"},
	}
	hikes = []string{
		"Sentier du littoral", "Boucle des Calanques", "Tour du Bau Rouge", "Chemin des Bories", "Sentier des Restanques", "Boucle de la Chapelle Saint-Roch",
		"Crête des Maures-Blanches", "Sentier des Charbonniers", "Tour du lac de Sainte-Ciane", "Draille des Transhumants", "Sentier botanique du Vallon",
		"Gorges du Réal", "Chemin des Oratoires", "Sentier des Ocres", "Boucle des Moulins",
	}
)
